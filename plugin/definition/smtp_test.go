package definition_test

import (
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestSMTPDomain: it is the inverse of SMTPName, also in the root, and no other service has one.
func TestSMTPDomain(t *testing.T) {
	for _, domain := range []definition.Name{"example.org.", "a.example.org.", "."} {
		service, err := definition.SMTPName(domain)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := definition.SMTPDomain(service); got != domain || !ok {
			t.Errorf("%s is of %s, %v; want %s", service, got, ok, domain)
		}
	}
	for _, other := range []definition.Name{"_smtps._tcp.example.org.", "_smtp._udp.example.org.", "example.org.", "."} {
		if _, ok := definition.SMTPDomain(other); ok {
			t.Errorf("%s has a mail domain", other)
		}
	}
}
