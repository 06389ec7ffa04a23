example.com. 300 IN SOA ns.example.com. admin.example.com. 7 7200 1800 86400 300
example.com. 300 IN NS ns.example.com.
ns.example.com. 300 IN A 192.0.2.1
web2.example.com. 300 IN A 192.0.2.82
