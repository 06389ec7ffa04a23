// Package v1 declares the informer of routes that ExternalDNS uses.
package v1

import "k8s.io/client-go/tools/cache"

type RouteInformer interface {
	Informer() cache.SharedIndexInformer
}
