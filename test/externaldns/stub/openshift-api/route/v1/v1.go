// Package v1 declares what ExternalDNS uses of the routes of OpenShift.
package v1

import (
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

type Route struct {
	meta.TypeMeta
	meta.ObjectMeta
	Status RouteStatus
}

func (r *Route) DeepCopyObject() runtime.Object { return r }

type RouteStatus struct{ Ingress []RouteIngress }

type RouteIngress struct {
	Host, RouterName, RouterCanonicalHostname string
	Conditions                                []RouteIngressCondition
}

type RouteIngressCondition struct {
	Type   RouteIngressConditionType
	Status core.ConditionStatus
}

type RouteIngressConditionType string

const RouteAdmitted RouteIngressConditionType = "Admitted"
