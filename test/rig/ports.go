package rig

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are none of those that Linux gives to clients: a client that asks before the
// server is up could get the port, and would have its own question as the answer.
const leastPort, mostPort = 20000, 32000

// FreePort returns a port that is free for UDP and TCP on 127.0.0.1. No other call
// returns it, neither in this process nor, on Linux, in others that run meanwhile.
func FreePort() (int, error) {
	for range 1000 {
		port := leastPort + rand.IntN(mostPort-leastPort)
		if reserve(port) && free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free for both UDP and TCP", leastPort, mostPort)
}

func free(port int) bool {
	addr := fmt.Sprint("127.0.0.1:", port)
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp", addr)
	return err == nil && tcp.Close() == nil
}
