COREDNS := v1.15.0
BUILD := build/coredns

.PHONY: coredns test soak outage fuzz bench bench-quick bench-live clean

# Stock CoreDNS with mxsrv in its plugin.cfg, as $(BUILD)/coredns.
coredns:
	rm -rf $(BUILD)
	mkdir -p $(dir $(BUILD))
	go mod download github.com/coredns/coredns@$(COREDNS)
	cp -r "$$(go list -m -f "{{.Dir}}" github.com/coredns/coredns)" $(BUILD)
	chmod -R u+w $(BUILD)
	sed -i "/^transfer:transfer$$/a mxsrv:github.com/mxsrv/mxsrv" $(BUILD)/plugin.cfg
	cd $(BUILD) && go mod edit -require github.com/mxsrv/mxsrv@v0.0.0 -replace github.com/mxsrv/mxsrv=$(CURDIR)
	cd $(BUILD) && go generate coredns.go
	cd $(BUILD) && go mod tidy && go build -o coredns .
	$(BUILD)/coredns -plugins | grep -x mxsrv

# The whole test suite, as CI runs it.
test:
	go test -race ./...

# Ten minutes of a file that is rewritten five times a second.
soak:
	go test ./test -count 1 -run TestSoak -v -timeout 15m -soak 10m

# A cluster of etcd that is broken in all ways, with everything down for a minute, and
# how soon a thousand changes and ten thousand registrations are in answers.
outage:
	go test ./test -count 1 -run 'TestEtcdFaults|TestEtcdLatency|TestEtcdBurst' -v -timeout 15m -outage 1m -puts 1000 -registrations 10000

# New inputs for the reader and the compiler; what breaks them stays as a test.
fuzz:
	go test -run '^$$' -fuzz FuzzLexer -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzRead -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzPrint -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzDocument -fuzztime 1m -fuzzminimizetime 2s ./plugin/change
	go test -run '^$$' -fuzz FuzzRead -fuzztime 1m -fuzzminimizetime 2s ./cmd/mxsrv/internal/foreign
	go test -run '^$$' -fuzz FuzzSnapshot -fuzztime 1m -fuzzminimizetime 2s ./plugin/etcd
	go test -run '^$$' -fuzz FuzzFragment -fuzztime 1m -fuzzminimizetime 2s ./plugin/etcd
	go test -run '^$$' -fuzz FuzzSVG -fuzztime 1m -fuzzminimizetime 2s ./cmd/mxsrv/internal/picture
	go test -run '^$$' -fuzz FuzzCompile -fuzztime 1m -fuzzminimizetime 2s ./plugin/table
	go test -run '^$$' -fuzz FuzzPack -fuzztime 1m -fuzzminimizetime 2s ./plugin/wire

# mxsrv and all its peers: bench/report.md, in 25 minutes on a machine that does nothing else.
bench:
	go run -C bench .

# The same in three minutes, to see that it works; the report goes elsewhere.
bench-quick:
	go run -C bench . -quick

# What it costs that definitions are in etcd, in four minutes.
bench-live:
	go run -C bench . live

clean:
	rm -rf build
