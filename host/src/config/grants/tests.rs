//! The grammar of grants, and the sentence with which it refuses.

use super::*;

fn target(text: &str) -> Result<String, String> {
    text.parse::<Target>().map(|target| target.to_string())
}

fn http(text: &str) -> Result<String, String> {
    text.parse::<HttpGrant>().map(|grant| grant.to_string())
}

#[test]
fn targets() {
    for (text, wanted) in [
        ("db.example.com:5432", "db.example.com:5432"),
        ("DB.Example.com.:5432", "db.example.com:5432"),
        ("localhost:1-3", "localhost:1-3"),
        ("192.0.2.7:*", "192.0.2.7:*"),
        ("10.0.0.0/8:80", "10.0.0.0/8:80"),
        ("[2001:db8::1]:53", "[2001:db8::1]:53"),
        ("[2001:db8::/32]:53", "[2001:db8::/32]:53"),
        // One address, whichever way it is written.
        ("[::ffff:192.0.2.7]:53", "192.0.2.7:53"),
    ] {
        assert_eq!(target(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_is_no_target() {
    for (text, why) in [
        ("db.example.com", "has no port"),
        ("db.example.com:", "is no port"),
        ("db.example.com:0", "is no port"),
        ("db.example.com:9-8", "is no port"),
        ("db.example.com:65536", "is no port"),
        ("2001:db8::1:53", "in brackets"),
        ("[2001:db8::1:53", "closing bracket"),
        ("[::ffff:10.0.0.0/104]:1", "is an IPv4 network"),
        ("10.0.0.1/8:80", "write \"10.0.0.0/8\""),
        ("*.example.com:80", "write each name"),
        // Forms that old resolvers take for 127.0.0.1.
        ("2130706433:80", "looks like an address"),
        ("0177.0.0.1:80", "looks like an address"),
        ("127.1:80", "looks like an address"),
        ("0x7f.0x1:80", "looks like an address"),
        ("0x7f000001:80", "looks like an address"),
        ("b\u{fc}cher.example:80", "no host name"),
        (":80", "no host name"),
        ("a..b:80", "no host name"),
    ] {
        let error = target(text).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn requests() {
    for (text, wanted) in [
        ("https://api.example.com", "https://api.example.com:443/"),
        (
            "http://API.example.com:8080/v1/",
            "http://api.example.com:8080/v1",
        ),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/"),
        ("http://[::1]/a", "http://[::1]:80/a"),
    ] {
        assert_eq!(http(text).as_deref(), Ok(wanted), "{text}");
    }
    for (text, why) in [
        ("api.example.com", "neither http:// nor https://"),
        ("ftp://a.example/", "neither http:// nor https://"),
        ("https://user:pass@a.example/", "has a user in it"),
        ("https://a.example/?a=b", "ends with the path"),
        ("https://a.example/#a", "ends with the path"),
        ("http://10.0.0.0/8", "?"),
        ("http://2130706433/", "looks like an address"),
        ("http://a.example:0/", "no port 0"),
        ("http://a.example:/", "no port"),
        ("http://a.example/v1/../v2", "segments . and .."),
        ("http://a.example/v1/%2e%2e/v2", "segments . and .."),
    ] {
        match (http(text), why) {
            // A path that looks like a length, after one address.
            (Ok(shown), "?") => assert_eq!(shown, "http://10.0.0.0:80/8"),
            (Ok(shown), _) => panic!("{text} is {shown}"),
            (Err(error), _) => assert!(error.contains(why), "{text}: {error}"),
        }
    }
}

#[test]
fn a_path_covers_whole_segments_below_it() {
    let grant: HttpGrant = "https://a.example/v1".parse().expect("a grant");
    for (path, wanted) in [
        ("/v1", true),
        ("/v1/", true),
        ("/v1/x/y", true),
        ("/v1x", false),
        ("/", false),
        ("/v1/../v2", false),
        ("/v1/%2E./v2", false),
        ("/v1/..;x/v2", false),
        ("/v1/..%2fv2", false),
        ("/v1/..\\v2", false),
    ] {
        assert_eq!(grant.covers_path(path), wanted, "{path}");
    }
}
