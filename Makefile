COREDNS := v1.15.0
BUILD := build/coredns
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || \
	echo $$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=v0.0.0-%cd)-$$( \
	git describe --always --exclude '*' --abbrev=12 --dirty))
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)

.PHONY: coredns coredns-source release test long fuzz bench bench-quick bench-live bench-domains bench-health clean

# Stock CoreDNS with mxsrv in its plugin.cfg, as $(BUILD)/coredns.
coredns: coredns-source
	cd $(BUILD) && go build -o coredns .
	$(BUILD)/coredns -plugins | grep -x mxsrv

# The source of that. The path of mxsrv is relative, as it is in the binary: go version -m.
coredns-source:
	rm -rf $(BUILD)
	mkdir -p $(dir $(BUILD))
	go mod download github.com/coredns/coredns@$(COREDNS)
	cp -r "$$(go list -m -f "{{.Dir}}" github.com/coredns/coredns)" $(BUILD)
	chmod -R u+w $(BUILD)
	sed -i "/^transfer:transfer$$/a mxsrv:github.com/mxsrv/mxsrv" $(BUILD)/plugin.cfg
	cd $(BUILD) && go mod edit -require github.com/mxsrv/mxsrv@v0.0.0 -replace github.com/mxsrv/mxsrv=../..
	cd $(BUILD) && go generate coredns.go
	cd $(BUILD) && go mod tidy

# What a release consists of, in dist/: an archive for each of $(PLATFORMS), of Linux a Debian package too, and
# checksums. To make version 0.1.0: write its heading into CHANGELOG.md, commit, git tag v0.1.0, make release. The same
# commit and the same Go make the same octets anywhere. It takes a clone: git says which documents belong to it.
release: coredns-source
	go run -C release . -version $(VERSION) -date $(SOURCE_DATE_EPOCH) $(PLATFORMS)

# The whole test suite, as CI runs it.
test:
	go test -race ./...

# The tests that take minutes, at full length: everything changes for ten minutes under the race detector; a
# cluster of etcd is broken in all ways; a thousand changes and ten thousand registrations are timed; the Debian package
# is installed, broken, upgraded and removed, in a container of systemd-nspawn.
long:
	go test ./test -count 1 -race -run 'TestSoak' -v -timeout 20m -long
	go test ./test -count 1 -run 'TestEtcdFaults|TestEtcdLatency|TestEtcdBurst|TestExternalDNS' -v -timeout 15m -long
	$(MAKE) release PLATFORMS=linux/$$(go env GOARCH)
	cd release && go test -count 1 -run 'TestDebInstalled' -v -timeout 15m -long

# New inputs for the reader and the compiler; what breaks them stays as a test.
fuzz:
	go test -run '^$$' -fuzz FuzzLexer -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzRead -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzPrint -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzParseCheck -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzReadState -fuzztime 1m -fuzzminimizetime 2s ./plugin/health
	go test -run '^$$' -fuzz FuzzFormat -fuzztime 1m -fuzzminimizetime 2s ./plugin/definition
	go test -run '^$$' -fuzz FuzzFormat -fuzztime 1m -fuzzminimizetime 2s ./plugin/corefile
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

# All that hangs on a hundred thousand mail domains, beside a zone in file, in ten minutes.
bench-domains:
	go run -C bench . domains

# Checks of targets, beside gdnsd and PowerDNS, and what they cost, in eight minutes.
bench-health:
	go run -C bench . health

clean:
	rm -rf build dist
