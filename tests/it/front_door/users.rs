//! Users, headers and rates, as the toolkit answers.

use std::{
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Result, ensure};
use meterbox_tests::{Client, PATIENCE, until};

use super::{Door, HASH, TLS, curl, plain};

const USERS: &str = "basic_auth_users: {alice: HASH, bob: OTHER_HASH}\n";

#[test]
fn only_users_with_their_passwords_come_in() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(USERS)?;
    // Twice: verified, and remembered.
    for _ in 0..2 {
        for (user, status) in [
            ("alice:password", "200"),
            ("bob:pass:word two", "200"),
            ("alice:Password", "401"),
            ("alice:", "401"),
            ("alice:pass:word two", "401"),
            ("ALICE:password", "401"),
            ("carol:password", "401"),
            (":password", "401"),
            // What nobody's hash was made of in the toolkit.
            ("carol:fakepassword", "401"),
        ] {
            let answer = curl(&plain(&host, "/metrics"), &["--user", user])?;
            assert_eq!(answer.status(), status, "{user}");
        }
    }
    let log = host.log().join("\n");
    ensure!(!log.contains("password") && !log.contains("$2"), "{log}");
    Ok(())
}

/// Byte for byte what Go's server says.
#[test]
fn strangers_are_answered_as_by_the_toolkit() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(USERS)?;
    for path in [
        "/metrics",
        "/",
        "/plugins/x",
        "/api/v1/plugins",
        "/-/healthy",
        "/-/ready",
        "/nowhere",
    ] {
        let answer = curl(&plain(&host, path), &[])?;
        assert_eq!(answer.status(), "401", "{path}");
        assert_eq!(answer.header("WWW-Authenticate"), Some("Basic"), "{path}");
        assert_eq!(
            answer.header("Content-Type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.body, "Unauthorized\n", "{path}");
        assert_eq!(answer.header("Server"), None);
    }
    Ok(())
}

#[test]
fn python_comes_in_with_its_own_basic() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(USERS)?;
    let script = "
import sys, urllib.request as u
m = u.HTTPPasswordMgrWithDefaultRealm()
for user, password in ('bob', 'pass:word two'), ('bob', 'wrong'):
    m = u.HTTPPasswordMgrWithPriorAuth()
    m.add_password(None, sys.argv[1], user, password, is_authenticated=True)
    try:
        print(u.build_opener(u.ProxyHandler({}), u.HTTPBasicAuthHandler(m)).open(sys.argv[1]).status)
    except Exception as e:
        print(type(e).__name__)
";
    let url = plain(&host, "/metrics");
    let output = Command::new("python3")
        .args(["-c", script, &url])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("200"), "{output:?}");
    // "Basic" without a realm is what the toolkit sends, and Python's name for its wonder about that.
    assert!(lines.next().is_some_and(|line| line != "200"), "{output:?}");
    Ok(())
}

#[test]
fn health_can_be_left_open() -> Result<()> {
    let door = Door::new()?;
    let exempt = "[web]\nauth-exempt-paths = [\"/-/healthy\", \"/-/ready\"]\n";
    let host = door.meterbox(USERS)?.config(exempt).start()?;
    for (path, status) in [
        ("/-/healthy", "200"),
        ("/-/healthy?a=b", "200"),
        ("/-/ready", "200"),
        ("/-/healthy/", "401"),
        ("/-//healthy", "401"),
        ("/metrics", "401"),
        ("/", "401"),
    ] {
        let answer = curl(&plain(&host, path), &["--path-as-is"])?;
        assert_eq!(answer.status(), status, "{path}");
    }
    // Whoever watches over the process would only restart it.
    door.config("broken: [")?;
    assert_eq!(curl(&plain(&host, "/-/healthy"), &[])?.status(), "200");
    assert_eq!(curl(&plain(&host, "/metrics"), &[])?.status(), "500");
    Ok(())
}

#[test]
fn headers_are_on_every_answer() -> Result<()> {
    let door = Door::new()?;
    let headers = "
http_server_config:
  headers:
    Strict-Transport-Security: max-age=31536000; includeSubDomains
    X-Content-Type-Options: nosniff
    X-Frame-Options: sameorigin
    X-XSS-Protection: 1
    Content-Security-Policy: \"default-src 'self'\"
";
    let host = door.start(&format!("{headers}{USERS}"))?;
    for (path, user, status) in [
        ("/metrics", "alice:password", "200"),
        ("/nowhere", "alice:password", "404"),
        ("/metrics", "alice:wrong", "401"),
    ] {
        let answer = curl(&plain(&host, path), &["--user", user])?;
        assert_eq!(answer.status(), status);
        for (name, value) in [
            (
                "Strict-Transport-Security",
                "max-age=31536000; includeSubDomains",
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "sameorigin"),
            ("X-XSS-Protection", "1"),
            ("Content-Security-Policy", "default-src 'self'"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {}", answer.head);
        }
    }
    Ok(())
}

#[test]
fn a_burst_is_served_and_the_rest_is_not() -> Result<()> {
    let door = Door::new()?;
    let host = door.start("rate_limit: {interval: 1h, burst: 3}\n")?;
    let statuses: Vec<_> = (0..5)
        .map(|_| Ok(curl(&plain(&host, "/-/healthy"), &[])?.status().to_owned()))
        .collect::<Result<_>>()?;
    assert_eq!(statuses, ["200", "200", "200", "429", "429"]);
    let answer = curl(&plain(&host, "/metrics"), &[])?;
    assert_eq!(answer.body, "Too Many Requests\n");
    // It is that of the start, as in the toolkit.
    door.config("rate_limit: {interval: 0s}\n")?;
    assert_eq!(curl(&plain(&host, "/metrics"), &[])?.status(), "429");
    Ok(())
}

#[test]
fn rates_recover() -> Result<()> {
    let door = Door::new()?;
    let host = door.start("rate_limit: {interval: 100ms, burst: 1}\n")?;
    let client = Client::new(host.address());
    let status = || client.get("/-/healthy").map(|answer| answer.status);
    for wanted in [429, 200] {
        until(PATIENCE, || {
            let status = status()?;
            ensure!(status == wanted, "{status}, not {wanted}");
            Ok(())
        })?;
    }
    Ok(())
}

/// Over TLS, all at once.
#[test]
fn users_over_tls_with_http2() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(&format!("{TLS}{USERS}"))?;
    let answer = door.https(&host, "/metrics", &["--http2", "--user", "alice:password"])?;
    assert_eq!((answer.version(), answer.status()), ("HTTP/2", "200"));
    ensure!(answer.body.contains("meterbox_build_info") || answer.body.contains("process_"));
    let answer = door.https(&host, "/metrics", &["--http2"])?;
    assert_eq!((answer.version(), answer.status()), ("HTTP/2", "401"));
    Ok(())
}

/// Strangers are many, and hashes cost time: one at a time is verified, and whoever needs none is served meanwhile.
#[test]
fn wrong_passwords_do_not_hold_up_others() -> Result<()> {
    let door = Door::new()?;
    // Some hundred milliseconds each.
    let hash = HASH.replace("$04$", "$12$");
    let exempt = "[web]\nauth-exempt-paths = [\"/-/healthy\"]\n";
    let config = format!("basic_auth_users: {{alice: {hash}}}\n");
    let host = door.meterbox(&config)?.config(exempt).start()?;
    let refused = AtomicUsize::new(0);
    let client = Client::new(host.address());
    let asks = &|n: usize| {
        // alice:a, who is there, and a:b, who is not.
        let authorization = ["Basic YWxpY2U6YQ==", "Basic YTpi"][n % 2];
        let answer = client.request("GET", "/metrics", &[("Authorization", authorization)]);
        refused.fetch_add(1, Ordering::SeqCst);
        answer
    };
    thread::scope(|scope| {
        let strangers: Vec<_> = (0..8).map(|n| scope.spawn(move || asks(n))).collect();
        // One was refused: the others wait for their turn.
        until(PATIENCE, || {
            ensure!(refused.load(Ordering::SeqCst) > 0, "none was refused");
            Ok(())
        })?;
        assert_eq!(client.get("/-/healthy")?.status, 200);
        ensure!(
            refused.load(Ordering::SeqCst) < 8,
            "it waited for all of them"
        );
        for stranger in strangers {
            let answer = stranger.join().expect("it does not panic")?;
            assert_eq!(answer.status, 401);
        }
        Ok(())
    })
}
