// Package credentials declares what ExternalDNS uses of those of Exoscale.
package credentials

type Credentials struct{}

func NewStaticCredentials(key, secret string) *Credentials { return nil }
