# varnish.rs starts Varnish with this, once the names between at signs are filled in: a backend, and the built-in policy.
vcl 4.1;

backend edge {
    .host = "127.0.0.1";
    .port = "@EDGE_PORT@";
}
