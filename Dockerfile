# CoreDNS with all plugins of its plugin.cfg and mxsrv, and the tool: two static binaries with their licenses, the
# certificates of authorities and an example to serve. No shell, no library. See docs/install.md.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY . .
RUN make coredns-source
ARG TARGETOS TARGETARCH VERSION=unreleased
RUN go run -C release . -version $VERSION -binaries $TARGETOS/$TARGETARCH && \
    mv build/release/$TARGETOS-$TARGETARCH /image
# The example on all addresses of the container, which nobody reaches but through a port that is published.
RUN mkdir -p /image/etc/coredns /image/etc/ssl/certs /image/var/lib/coredns && \
    cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ && \
    sed 's/example.com:1053/example.com/; /bind/d' cmd/internal/example/Corefile >/image/etc/coredns/Corefile && \
    chown 65532:65532 /image/var/lib/coredns

FROM scratch
COPY --from=build /image /
USER 65532:65532
WORKDIR /etc/coredns
ENV STATE_DIRECTORY=/var/lib/coredns
EXPOSE 53/udp 53/tcp
ENTRYPOINT ["/coredns"]
CMD ["-conf", "/etc/coredns/Corefile"]
