vcl 4.1;

# The store of a shield's pod: bytes for one worker on the same machine, nothing else. The worker
# decides; here a request looks (only-if-cached), fills (Downlink-Fill), or removes (PURGE, BAN).

import purge;
import std;

backend worker {
    .host = "127.0.0.1";
    .port = "8086";
    .connect_timeout = 2s;
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 60s;
}

acl loopback {
    "127.0.0.1";
}

sub vcl_recv {
    if (client.ip !~ loopback ||
        req.http.Downlink-Secret != std.fileread("/etc/downlink/store.secret")) {
        return (synth(403));
    }
    if (req.method == "BAN") {
        # Fields of the object, not of the request: the ban lurker can work through them.
        if (req.http.Downlink-Ban-Tag) {
            std.ban("obj.http.Downlink-Tags ~ " + req.http.Downlink-Ban-Tag);
        } elseif (req.http.Downlink-Ban-Key) {
            std.ban("obj.http.Downlink-Key ~ " + req.http.Downlink-Ban-Key);
        } else {
            return (synth(400));
        }
        if (std.ban_error() != "") {
            return (synth(400, std.ban_error()));
        }
        return (synth(200));
    }
    if (req.method == "PURGE") {
        return (hash);
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    if (req.http.Downlink-Fill) {
        set req.hash_always_miss = true;
    } else {
        # Nobody waits for an object that arrives: the worker joins those itself.
        set req.hash_ignore_busy = true;
    }
    return (hash);
}

sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_hit {
    if (req.method == "PURGE") {
        purge.hard();
        return (synth(200));
    }
    return (deliver);
}

sub vcl_miss {
    if (req.method == "PURGE") {
        purge.hard();
        return (synth(404));
    }
    if (!req.http.Downlink-Fill) {
        return (synth(504));
    }
    return (fetch);
}

sub vcl_backend_fetch {
    set bereq.http.Accept-Encoding = "identity";
    return (fetch);
}

sub vcl_backend_response {
    if (beresp.status != 200 || !beresp.http.Downlink-Written) {
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
        return (deliver);
    }
    set beresp.ttl = 365d;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    return (deliver);
}

sub vcl_backend_error {
    set beresp.status = 504;
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.Via;
    unset resp.http.X-Varnish;
    return (deliver);
}

sub vcl_synth {
    set resp.body = "";
    return (deliver);
}
