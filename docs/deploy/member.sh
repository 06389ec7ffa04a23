#!/bin/sh -e
# A member of a cluster of three, on 127.0.0.11, .12 and .13: member.sh 1|2|3. On three
# machines these are their addresses; between them and to clients use TLS then.
exec etcd --name e$1 --data-dir ${DATA:-/var/lib/etcd}/e$1 \
    --listen-client-urls http://127.0.0.1$1:2379 --advertise-client-urls http://127.0.0.1$1:2379 \
    --listen-peer-urls http://127.0.0.1$1:2380 --initial-advertise-peer-urls http://127.0.0.1$1:2380 \
    --initial-cluster e1=http://127.0.0.11:2380,e2=http://127.0.0.12:2380,e3=http://127.0.0.13:2380 \
    --initial-cluster-token dns --auto-compaction-mode periodic --auto-compaction-retention 1h
