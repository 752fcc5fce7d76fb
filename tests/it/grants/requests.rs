//! Outgoing HTTP, all of it to this machine.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use anyhow::{Result, ensure};

use super::{denials, expect, trying, uses};

/// A server that keeps the first line of each request and its host, and answers by the path.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || answer(stream, &kept));
            }
        });
        Ok(Self { port, seen })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panics").clone()
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let host = lines
        .by_ref()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let host = host
        .filter(|line| line.to_ascii_lowercase().starts_with("host:"))
        .last()?;
    seen.lock().ok()?.push(format!("{first} {host}"));
    let path = first.split(' ').nth(1)?;
    let text = match path {
        "/hangs" => {
            thread::sleep(std::time::Duration::from_secs(60));
            return None;
        }
        "/away" => {
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
                .to_owned()
        }
        "/large" => format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}",
            "x".repeat(100_000)
        ),
        _ => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
    };
    stream.write_all(text.as_bytes()).ok()
}

const DENIED: &str = "error: ErrorCode::HttpRequestDenied";

#[test]
fn requests_go_where_they_were_granted() -> Result<()> {
    let (server, other) = (Server::start()?, Server::start()?);
    let port = server.port;
    let of = |path: &str| format!("http GET {}", server.url(path));
    let cases = [
        (of("/v1"), "200 hello"),
        (of("/v1/x?y=z"), "200 hello"),
        (of("/v1x"), DENIED),
        (of("/"), DENIED),
        (of("/v1/../admin"), DENIED),
        (of("/v1/%2e%2e/admin"), DENIED),
        (format!("http POST {}", server.url("/v1")), DENIED),
        (format!("http GET https://127.0.0.1:{port}/v1"), DENIED),
        (format!("http GET {}", other.url("/v1")), DENIED),
        (format!("http GET http://localhost:{port}/v1"), DENIED),
        (format!("http GET http://[::1]:{port}/v1"), DENIED),
        (format!("http GET http://2130706433:{port}/v1"), DENIED),
        (format!("http GET http://0177.0.0.1:{port}/v1"), DENIED),
        (format!("http GET http://0x7f.1:{port}/v1"), DENIED),
        (
            format!("http GET http://127.0.0.1:{port}@169.254.169.254/v1"),
            "error",
        ),
        (
            "http GET http://169.254.169.254/latest/meta-data/".to_owned(),
            DENIED,
        ),
    ];
    let cases = cases
        .each_ref()
        .map(|(attempt, outcome)| (attempt.as_str(), *outcome));
    let grants = format!("http = [\"{}\"]", server.url("/v1"));
    let host = trying(&cases.map(|(attempt, _)| attempt), &grants).start()?;
    expect(&host, &cases)?;
    let page = host.scrape()?;
    ensure!(
        uses(&page, "http") >= Some(2.0),
        "{:?}",
        uses(&page, "http")
    );
    ensure!(
        denials(&page, "http") >= Some(13.0),
        "{:?}",
        denials(&page, "http")
    );
    host.logged(&["denied", "grant=http", "POST", "methods"])?;
    host.logged(&[
        "denied",
        "grant=http",
        "169.254.169.254",
        "plugins.tries.grants.http",
    ])?;
    let seen = server.seen();
    let wanted = [
        format!("GET /v1 HTTP/1.1 host: 127.0.0.1:{port}"),
        format!("GET /v1/x?y=z HTTP/1.1 host: 127.0.0.1:{port}"),
    ];
    for line in &seen {
        ensure!(
            wanted.contains(&line.replace("Host:", "host:")),
            "{line:?} was sent"
        );
    }
    ensure!(other.seen().is_empty(), "{:?}", other.seen());
    Ok(())
}

/// To follow a redirect is a request of the guest's own, which is checked.
#[test]
fn redirects_are_not_followed() -> Result<()> {
    let server = Server::start()?;
    let attempt = format!("http GET {}", server.url("/away"));
    let grants = format!("http = [\"{}\"]", server.url("/"));
    let host = trying(&[&attempt, "http GET http://127.0.0.1:9/"], &grants).start()?;
    expect(
        &host,
        &[
            (&attempt, "302 http://127.0.0.1:9/"),
            ("http GET http://127.0.0.1:9/", DENIED),
        ],
    )?;
    Ok(())
}

#[test]
fn a_name_leads_to_private_addresses_only_if_they_are_granted() -> Result<()> {
    let server = Server::start()?;
    let url = format!("http://localhost:{}/", server.port);
    let attempt = format!("http POST {url}");
    let closed = trying(
        &[&attempt],
        &format!("http = [{{ url = {url:?}, methods = [\"POST\"] }}]"),
    );
    let closed = closed.start()?;
    expect(
        &closed,
        &[(&attempt, "error: ErrorCode::DestinationIpProhibited")],
    )?;
    closed.logged(&["denied", "grant=http", "localhost", "private = true"])?;
    ensure!(server.seen().is_empty(), "{:?}", server.seen());
    let grants = format!("http = [{{ url = {url:?}, methods = [\"POST\"], private = true }}]");
    let open = trying(&[&attempt], &grants).start()?;
    expect(&open, &[(&attempt, "200 hello")])?;
    let denied = open.scrape()?.value(
        "meterbox_plugin_grant_denials_total",
        &[("grant", "http"), ("plugin", "tries")],
    );
    assert_eq!(denied, Some(0.0));
    Ok(())
}

#[test]
fn answers_end() -> Result<()> {
    let server = Server::start()?;
    let large = format!("http GET {}", server.url("/large"));
    let hangs = format!("http GET {}", server.url("/hangs"));
    let grants = format!(
        "http = [\"{}\"]\n[plugins.tries.limits]\noutgoing-bytes = \"64KiB\"\noutgoing-timeout = \"200ms\"",
        server.url("/")
    );
    let host = trying(&[&large, &hangs], &grants).start()?;
    expect(
        &host,
        &[
            (&large, "error"),
            (&hangs, "error: ErrorCode::ConnectionReadTimeout"),
        ],
    )?;
    for limit in ["outgoing-bytes", "outgoing-timeout"] {
        let labels = [("limit", limit), ("plugin", "tries")];
        let denials = host
            .scrape()?
            .number("meterbox_plugin_denials_total", &labels)?;
        ensure!(denials >= 1.0, "{limit}: {denials}");
    }
    Ok(())
}

#[test]
fn only_so_many_are_under_way() -> Result<()> {
    let server = Server::start()?;
    let attempt = format!("together 3 {}", server.url("/hangs"));
    let after = format!("http GET {}", server.url("/"));
    let grants = format!(
        "http = [\"{}\"]\n[plugins.tries.limits]\noutgoing-requests = 1\noutgoing-timeout = \"300ms\"",
        server.url("/")
    );
    let host = trying(&[&attempt, &after], &grants).start()?;
    let refused = "ErrorCode::ConnectionLimitReached";
    let outcome = format!("{refused} {refused} ErrorCode::ConnectionReadTimeout");
    // The one that hung has made room.
    let page = expect(&host, &[(&attempt, &outcome), (&after, "200 hello")])?;
    drop(page);
    let labels = [("limit", "outgoing-requests"), ("plugin", "tries")];
    let page = host.scrape()?;
    let denials = page.number("meterbox_plugin_denials_total", &labels)?;
    ensure!(denials >= 2.0, "{denials}");
    let hung = server.seen();
    let hung = hung.iter().filter(|line| line.contains("/hangs")).count();
    ensure!(hung <= 2, "{hung} requests in two scrapes were let through");
    Ok(())
}
