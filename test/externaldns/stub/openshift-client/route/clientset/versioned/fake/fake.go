// Package fake is empty: tests of ExternalDNS import it, which `go mod tidy` looks at.
package fake
