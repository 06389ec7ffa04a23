#!/bin/sh
# Usage: installed.sh OLD.deb NEW.deb [DEBIAN]
# Installs OLD in a bare Debian that systemd boots in a container without a network, asks it, breaks it, upgrades it to
# NEW, removes it and purges it. The Debian comes from debootstrap; in a folder DEBIAN it stays for the next time.
set -eu

# Inside of the container, as the service installed.service.
inside() {
    cd /test
    say "install"
    dpkg -i old.deb
    is active; is enabled
    same "$(dig_ -p 1053 example.com MX | sort)" "10 mx1.example.com.
20 mx2.example.com.
20 mx3.example.com.
30 mx.example.net."
    mxsrv check --strict /etc/coredns/Corefile
    same "$(ss -Hlntup | grep '"coredns"' | awk '{print $5}' | sort -u)" 127.0.0.1:1053
    same "$(ps -o user= -p "$(pid)")" coredns
    same "$(stat -c '%U:%G %a' /var/lib/coredns)" "coredns:coredns 750"
    same "$(grep Cap.nd /proc/"$(pid)"/status | cut -f 2)" 0000000000000400 # CAP_NET_BIND_SERVICE
    man -w mxsrv coredns coredns-mxsrv
    systemd-analyze verify coredns.service
    systemd-analyze security --no-pager coredns.service | tail -n 1

    say "port 53, where systemd-resolved has it too"
    systemctl is-active systemd-resolved
    corefile "host mx1 192.0.2.10"
    sed -i '/bind/d' /etc/coredns/Corefile
    systemctl restart coredns; logged 'address already in use'
    corefile "host mx1 192.0.2.10"
    systemctl restart coredns
    answers 192.0.2.10
    test -f /var/lib/coredns/serials

    say "a warning and a change"
    before=$(serial)
    corefile "host mx1 192.0.2.11" "mail @ 10 mx1"
    systemctl reload coredns
    answers 192.0.2.11
    logged mail-single-host
    after=$(serial)
    test "$after" -gt "$before"

    say "an error"
    corefile "host mx1 192.0.2.12" "alias mx web.example.net." "mail @ 10 mx"
    fails systemctl reload coredns; logged 'error: .*mx-target-alias'
    is active; answers 192.0.2.11
    was=$(pid)
    dpkg -i old.deb 2>err; cat err; grep -q "the old one still runs" err
    same "$(pid)" "$was"; answers 192.0.2.11
    fails systemctl restart coredns
    corefile "host mx1 192.0.2.11" "mail @ 10 mx1"
    until systemctl --quiet is-active coredns; do sleep 1; done # by itself
    answers 192.0.2.11
    same "$(serial)" "$after"

    say "etcd is away"
    corefile "host mx1 192.0.2.11" "mail @ 10 mx1" "etcd 127.0.0.1:2379 {
        snapshot /var/lib/coredns/snapshot
        timeout 1s
    }"
    systemctl restart coredns; is active; logged "the fragments in etcd are not checked"
    corefile "host mx1 192.0.2.11" "mail @ 10 mx1"
    systemctl restart coredns

    say "upgrade"
    was=$(pid)
    sum=$(md5sum /etc/coredns/Corefile)
    dpkg --force-confdef --force-confold -i new.deb
    is active; test "$(pid)" != "$was"; answers 192.0.2.11
    same "$(md5sum /etc/coredns/Corefile)" "$sum"; test -f /etc/coredns/Corefile.dpkg-dist
    same "$(serial)" "$after"
    systemctl disable --now coredns
    dpkg -i new.deb
    fails systemctl --quiet is-active coredns
    systemctl enable --now coredns; answers 192.0.2.11

    say "remove and purge"
    dpkg -r mxsrv
    fails systemctl --quiet is-active coredns
    test ! -e /usr/bin/coredns; test -e /etc/coredns/Corefile; test -e /var/lib/coredns/serials
    dpkg -i new.deb; is enabled; answers 192.0.2.11; same "$(serial)" "$after"
    touch /etc/coredns/hosts.conf
    dpkg -P mxsrv
    test ! -e /etc/coredns/Corefile; test -e /etc/coredns/hosts.conf; test ! -e /var/lib/coredns
    same "$(find /etc/systemd /var/lib/systemd -name 'coredns*')" ""
    say "all of it"
}

say() { printf '\n== %s\n' "$*"; }
is() { systemctl "is-$1" coredns; }
pid() { systemctl show --value -p MainPID coredns; }
logged() { within_10s journal "$1"; }
journal() { journalctl -u coredns --no-pager | grep -m 1 -- "$1"; }
same() { [ "$1" = "$2" ] || { printf 'got\n%s\nwant\n%s\n' "$1" "$2"; return 1; }; }
fails() { ! "$@" || { echo "no error: $*"; return 1; }; }
dig_() { dig @127.0.0.1 +short +retry=20 "$@"; }
serial() { dig_ example.org SOA | cut -d ' ' -f 3; }

# answers waits until the host has an address: a server serves a moment after systemctl has started or reloaded it.
answers() { within_10s address "$1"; }
address() { [ "$(dig_ mx1.example.org A)" = "$1" ]; }

within_10s() {
    for _ in $(seq 100); do
        ! "$@" || return 0
        sleep 0.1
    done
    echo "not within 10 seconds: $*"
    return 1
}

# corefile writes a Corefile with lines for its mxsrv block.
corefile() {
    {
        printf 'example.org {\nbind 127.0.0.1\nmxsrv {\nserials /var/lib/coredns/serials\n'
        printf 'authoritative {\nns ns.example.net.\n}\n'
        printf '%s\n' "$@" '}' errors '}'
    } >/etc/coredns/Corefile
}

if [ "${1-}" = inside ]; then
    exec >/test/log 2>&1
    inside
    exit
fi

test=$(mktemp -d)
debian=${3-$test/debian}
trap 'rm -rf "$test"' EXIT
packages=systemd-sysv,systemd-resolved,dbus,bind9-dnsutils,iproute2,procps,man-db
[ -e "$debian" ] || debootstrap --variant=minbase --include=$packages bookworm "$debian" >"$test/console"
cp -a "$debian" "$test/root"
mkdir "$test/shared"
cp "$0" "$test/shared/installed.sh"
cp "$1" "$test/shared/old.deb"
dpkg-deb -R "$2" "$test/new"
echo "# of another version" >>"$test/new/etc/coredns/Corefile"
dpkg-deb -Znone -b "$test/new" "$test/shared/new.deb" >"$test/console"
cat >"$test/root/etc/systemd/system/installed.service" <<UNIT
[Unit]
SuccessAction=exit
FailureAction=exit
FailureActionExitStatus=1
[Service]
Type=oneshot
ExecStart=/bin/sh -x /test/installed.sh inside
UNIT
mkdir -p "$test/root/etc/systemd/system/multi-user.target.wants"
ln -s ../installed.service "$test/root/etc/systemd/system/multi-user.target.wants/"
code=0
systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe --bind="$test/shared:/test" \
    -D "$test/root" --boot >"$test/console" 2>&1 || code=$?
cat "$test/shared/log" 2>/dev/null || cat "$test/console"
exit $code
