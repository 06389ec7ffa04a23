#!/bin/sh -e
# Three kinds of users for etcd: servers read, people write, and instances write what
# is their own. The password of each is in the file USER.password here.
etcdctl role add coredns
etcdctl role grant-permission --prefix=true coredns read /mxsrv/
etcdctl role add dns-writer
etcdctl role grant-permission --prefix=true dns-writer readwrite /mxsrv/
etcdctl role add ldap
etcdctl role grant-permission --prefix=true ldap readwrite /mxsrv/ldap/
for user in coredns dns-writer ldap root; do
    etcdctl user add $user --interactive=false <$user.password
done
etcdctl user grant-role coredns coredns
etcdctl user grant-role dns-writer dns-writer
etcdctl user grant-role ldap ldap
etcdctl user grant-role root root
etcdctl auth enable
