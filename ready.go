package mxsrv

// Ready implements the ready plugin's Readiness: every source of every server
// block has delivered. CoreDNS asks one handler of each plugin only, the last
// that it has set up, so that one speaks for all.
func (m *MXSRV) Ready() bool {
	for _, h := range m.instance.handlers {
		if h.table.Load() == nil {
			return false
		}
	}
	return true
}
