// Package externalversions declares what ExternalDNS uses of informers of routes. Without a client there is none.
package externalversions

import (
	"reflect"
	"time"

	"github.com/openshift/client-go/route/clientset/versioned"
	v1 "github.com/openshift/client-go/route/informers/externalversions/route/v1"
)

type SharedInformerFactory interface {
	Route() interface {
		V1() interface{ Routes() v1.RouteInformer }
	}
	Start(stop <-chan struct{})
	WaitForCacheSync(stop <-chan struct{}) map[reflect.Type]bool
}

func WithNamespace(string) any { return nil }

func NewSharedInformerFactoryWithOptions(versioned.Interface, time.Duration, ...any) SharedInformerFactory {
	return nil
}
