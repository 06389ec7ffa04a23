$ORIGIN example.com.
$TTL 300
@       IN SOA ns1 admin 2026010101 7200 1800 86400 300
        IN NS  ns1
        IN TXT "from the zone file"
ns1     IN A   192.0.2.53
www     IN A   192.0.2.80
