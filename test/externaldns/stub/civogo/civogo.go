// Package civogo declares what ExternalDNS uses of the client of Civo. There is no client.
package civogo

import "errors"

var errStub = errors.New("Civo is not built in")

type (
	Client        struct{}
	Component     struct{ Name, Version string }
	DNSDomain     struct{ ID, Name string }
	DNSRecordType string
	DNSRecord     struct {
		ID, DNSDomainID, Name, Value string
		Type                         DNSRecordType
		Priority, TTL                int
	}
	DNSRecordConfig struct {
		Name, Value   string
		Type          DNSRecordType
		Priority, TTL int
	}
)

const (
	DNSRecordTypeA     DNSRecordType = "A"
	DNSRecordTypeCName DNSRecordType = "CNAME"
	DNSRecordTypeSRV   DNSRecordType = "SRV"
	DNSRecordTypeTXT   DNSRecordType = "TXT"
)

func NewClient(token, region string) (*Client, error) { return nil, errStub }

func (*Client) SetUserAgent(*Component)                                      {}
func (*Client) ListDNSDomains() ([]DNSDomain, error)                         { return nil, errStub }
func (*Client) ListDNSRecords(string) ([]DNSRecord, error)                   { return nil, errStub }
func (*Client) CreateDNSRecord(string, *DNSRecordConfig) (*DNSRecord, error) { return nil, errStub }
func (*Client) UpdateDNSRecord(*DNSRecord, *DNSRecordConfig) (*DNSRecord, error) {
	return nil, errStub
}
func (*Client) DeleteDNSRecord(*DNSRecord) (any, error) { return nil, errStub }
