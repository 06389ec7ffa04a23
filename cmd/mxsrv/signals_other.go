//go:build !unix

package main

import (
	"os"
	"os/exec"
)

var forwarded []os.Signal

func killGroup(*exec.Cmd) {}
