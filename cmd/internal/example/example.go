// Package example has the Corefile that a first run serves.
package example

import _ "embed"

// Corefile declares one of each thing that there is, and is served on Address.
//
//go:embed Corefile
var Corefile string

// Address is where the Corefile is served.
const Address = "127.0.0.1:1053"
