// Package v3 declares what ExternalDNS uses of the client of Exoscale. There is no client.
package v3

import (
	"context"
	"errors"

	"github.com/exoscale/egoscale/v3/credentials"
)

var errStub = errors.New("Exoscale is not built in")

type (
	Client              struct{}
	ClientOpt           any
	Endpoint            string
	UUID                string
	Operation           struct{}
	OperationState      string
	DNSDomainRecordType string
	DNSDomain           struct {
		ID          UUID
		UnicodeName string
	}
	DNSDomainRecord struct {
		ID            UUID
		Name, Content string
		Type          DNSDomainRecordType
		Ttl           int64
	}
	ListDNSDomainsResponse           struct{ DNSDomains []DNSDomain }
	ListDNSDomainRecordsResponse     struct{ DNSDomainRecords []DNSDomainRecord }
	CreateDNSDomainRecordRequestType string
	CreateDNSDomainRecordRequest     struct {
		Name, Content string
		Type          CreateDNSDomainRecordRequestType
		Ttl           int64
	}
	UpdateDNSDomainRecordRequest struct {
		Content string
		Ttl     int64
	}
)

const OperationStateSuccess OperationState = "success"

func ClientOptWithEndpoint(Endpoint) ClientOpt { return nil }

func NewClient(*credentials.Credentials, ...ClientOpt) (*Client, error) { return nil, errStub }

func (*Client) ListDNSDomains(context.Context) (*ListDNSDomainsResponse, error) { return nil, errStub }

func (*Client) ListDNSDomainRecords(context.Context, UUID) (*ListDNSDomainRecordsResponse, error) {
	return nil, errStub
}

func (*Client) CreateDNSDomainRecord(context.Context, UUID, CreateDNSDomainRecordRequest) (*Operation, error) {
	return nil, errStub
}

func (*Client) DeleteDNSDomainRecord(context.Context, UUID, UUID) (*Operation, error) {
	return nil, errStub
}

func (*Client) UpdateDNSDomainRecord(context.Context, UUID, UUID, UpdateDNSDomainRecordRequest) (*Operation, error) {
	return nil, errStub
}

func (*Client) Wait(context.Context, *Operation, OperationState) (*Operation, error) {
	return nil, errStub
}
