package health

import "syscall"

const ipBindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT of linux/in.h

// sharePorts lets connections from one address to different servers have the same port. Else a thousand probes a second
// would use up all ports, as each is kept for a minute after a connection. Where the kernel cannot, that is so.
func sharePorts(fd uintptr) {
	syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipBindAddressNoPort, 1)
}
