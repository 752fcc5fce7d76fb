//! Peers that speak HTTP badly, or another protocol, or leave in the middle.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, TestHost, until};

/// A server that waits for nobody for long, with a route that takes a body.
fn start() -> Result<TestHost> {
    Meterbox::with("counter", "counter", "routes = [\"/hello\"]")
        .config("[web]\nread-timeout = \"500ms\"\nwrite-timeout = \"500ms\"\n")
        .start()
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// All that comes back. The server may close before it has taken everything.
fn answer(host: &TestHost, request: &[u8]) -> Result<String> {
    let mut stream = connect(host.address())?;
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or_default()
}

/// Each is refused in so many words, and costs nobody else anything.
#[test]
fn what_is_no_request_is_refused() -> Result<()> {
    let host = start()?;
    let post = "POST /hello HTTP/1.1\r\nHost: test\r\n";
    let get = "GET /metrics HTTP/1.1\r\nHost: test\r\n";
    let bad = |name, text: String| (name, text.into_bytes(), "400");
    let tls = [
        &b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"[..],
        &[b'a'; 150],
    ]
    .concat();
    let cases = [
        ("TLS", tls, "400"),
        bad("HTTP/0.9", "GET /metrics\r\n\r\n".into()),
        bad("HTTP/3.0", "GET /metrics HTTP/3.0\r\n\r\n".into()),
        bad("HTTP/1.2", "GET /metrics HTTP/1.2\r\n\r\n".into()),
        bad("no method", " /metrics HTTP/1.1\r\n\r\n".into()),
        bad("NUL in the path", "GET /\0 HTTP/1.1\r\n\r\n".into()),
        bad("NUL in a value", format!("{get}A: \0\r\n\r\n")),
        bad("a folded line", format!("{get}A: b\r\n c\r\n\r\n")),
        bad(
            "a space before a colon",
            format!("{post}Content-Length : 5\r\n\r\nhello"),
        ),
        bad(
            "two lengths",
            format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        ),
        bad(
            "a list of lengths",
            format!("{post}Content-Length: 5, 6\r\n\r\n"),
        ),
        bad(
            "a signed length",
            format!("{post}Content-Length: +5\r\n\r\nhello"),
        ),
        bad(
            "a length beyond numbers",
            format!("{post}Content-Length: 99999999999999999999\r\n\r\n"),
        ),
        bad(
            "chunked, but not last",
            format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n"),
        ),
        bad(
            "almost chunked",
            format!("{post}Transfer-Encoding: xchunked\r\n\r\n"),
        ),
        bad(
            "chunked in HTTP/1.0",
            "POST /hello HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
        ),
        bad(
            "a chunk of no size",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nx\r\n"),
        ),
        (
            "a path of 70 kB",
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)).into_bytes(),
            "414",
        ),
        (
            "a path of 1 MB",
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1_000_000)).into_bytes(),
            "431",
        ),
        (
            "101 header lines",
            format!("{get}{}\r\n", "A: b\r\n".repeat(101)).into_bytes(),
            "431",
        ),
        (
            "a header line of 1 MB",
            format!("{get}A: {}\r\n\r\n", "b".repeat(1_000_000)).into_bytes(),
            "431",
        ),
    ];
    for (name, request, expected) in cases {
        let answer = answer(&host, &request)?;
        ensure!(status(&answer) == expected, "{name}: {answer:?}");
        ensure!(
            answer.matches("HTTP/1.1 ").count() == 1,
            "{name}: {answer:?}"
        );
    }
    // HTTP/2 is not spoken, and cannot be answered in HTTP/1.
    ensure!(answer(&host, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?.is_empty());
    ensure!(host.get("/metrics")?.status == 200);
    Ok(())
}

/// Two lengths that contradict each other: the chunks count, and what follows is never taken for a request.
#[test]
fn nothing_is_smuggled_behind_a_body() -> Result<()> {
    let host = start()?;
    let smuggled = "0\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let request = format!("POST /metrics HTTP/1.1\r\nHost: test\r\n{lengths}\r\n{smuggled}");
        let answer = answer(&host, request.as_bytes())?;
        ensure!(!answer.contains("Healthy"), "{lengths:?}: {answer}");
        ensure!(
            answer.matches("HTTP/1.1 ").count() <= 1,
            "{lengths:?}: {answer}"
        );
    }
    // A body on GET is passed over, and the next request is found behind it.
    let request = "GET /-/healthy HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nGET\
                   HEAD /-/ready HTTP/1.1\r\nHost: test\r\n\r\n";
    let answer = answer(&host, request.as_bytes())?;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    Ok(())
}

#[test]
fn other_methods_and_protocols_are_declined() -> Result<()> {
    let host = start()?;
    for path in ["/", "/metrics", "/-/healthy", "/-/ready"] {
        for method in [
            "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "X",
        ] {
            let answer = host.request(method, path, &[])?;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD", "{method} {path}");
        }
    }
    let connect = answer(&host, b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n")?;
    assert_eq!(status(&connect), "404", "{connect}");
    for upgrade in ["h2c", "websocket"] {
        let request = format!(
            "GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n"
        );
        let answer = answer(&host, request.as_bytes())?;
        assert_eq!(status(&answer), "200", "{upgrade}: {answer}");
    }
    Ok(())
}

/// A peer that asks first is spared the sending of what nobody wants.
#[test]
fn expectations_are_met_or_refused() -> Result<()> {
    let host = start()?;
    let head = "POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n";
    let wanted = answer(
        &host,
        format!("{head}Content-Length: 3\r\n\r\nabc").as_bytes(),
    )?;
    ensure!(
        wanted.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 405 "),
        "{wanted}"
    );
    let large = answer(
        &host,
        format!("{head}Content-Length: 2000000\r\n\r\n").as_bytes(),
    )?;
    assert_eq!(status(&large), "413", "{large}");
    Ok(())
}

/// The next request is read once the last one is answered, so they cost one buffer however many come.
#[test]
fn pipelined_requests_are_answered_in_order() -> Result<()> {
    let host = start()?;
    let mut requests = String::new();
    for i in 0..200 {
        let path = ["/-/healthy", "/-/ready", "/nowhere"][i % 3];
        requests += &format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    let answers = answer(&host, requests.as_bytes())?;
    let statuses: Vec<_> = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer.lines().last().unwrap_or_default())
        .collect();
    assert_eq!(statuses.len(), 200, "{answers}");
    for (i, body) in statuses.iter().enumerate() {
        assert_eq!(*body, ["Healthy", "Ready", "Not found"][i % 3], "{i}");
    }
    Ok(())
}

/// It is read no further than it is answered, and dropped when it takes nothing.
#[test]
fn a_flood_of_requests_is_stopped_by_its_answers() -> Result<()> {
    let host = start()?;
    let mut stream = connect(host.address())?;
    let requests = "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n".repeat(1_000);
    let mut sent = 0;
    // What the buffers of both kernels take at most is a fraction of it.
    let end = Instant::now() + PATIENCE;
    while stream.write_all(requests.as_bytes()).is_ok() {
        sent += requests.len();
        ensure!(Instant::now() < end, "{sent} bytes of requests were taken");
    }
    ensure!(host.get("/-/healthy")?.status == 200);
    Ok(())
}

/// The time for a head counts from its first byte to its last.
#[test]
fn a_head_in_single_bytes_is_cut_off() -> Result<()> {
    let host = start()?;
    let mut stream = connect(host.address())?;
    let started = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    for byte in b"GET /metrics HTTP/1.1\r\nHost: test\r\nX: ".iter().cycle() {
        let gone = stream.write_all(&[*byte]).is_err();
        if gone || matches!(stream.read(&mut [0]), Ok(0)) {
            break;
        }
        ensure!(started.elapsed() < PATIENCE, "it is still there");
    }
    ensure!(started.elapsed() > Duration::from_millis(400));
    Ok(())
}

/// Whoever leaves in the middle, politely or not, gives everything back.
#[test]
fn peers_that_leave_are_forgotten() -> Result<()> {
    let host = start()?;
    // What it keeps open itself is there after the first page.
    host.scrape()?;
    let before = host.sockets()?;
    for _ in 0..20 {
        for (request, polite) in [
            ("", true),
            ("GET /met", true),
            ("GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n", true),
            ("GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n", false),
            (
                "POST /hello HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc",
                true,
            ),
        ] {
            let mut stream = connect(host.address())?;
            stream.write_all(request.as_bytes())?;
            if polite {
                stream.shutdown(Shutdown::Write)?;
            }
        }
    }
    host.scrape_until(|page| {
        let in_flight = page.number("meterbox_http_metrics_requests_in_flight", &[])?;
        ensure!(in_flight == 1.0, "{in_flight} requests are in flight");
        Ok(())
    })?;
    until(PATIENCE, || {
        let sockets = host.sockets()?;
        ensure!(sockets <= before, "{sockets} sockets are open");
        Ok(())
    })
}

#[test]
fn a_peer_gets_its_share_of_connections() -> Result<()> {
    let host = Meterbox::new()
        .config("[web]\nmax-connections-per-peer = 2\n")
        .start()?;
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(host.address())?;
        stream.write_all(request)?;
        stream.read_exact(&mut [0])?;
        held.push(stream);
    }
    ensure!(answer(&host, request)?.is_empty(), "one more was served");
    until(PATIENCE, || {
        let log = host.log();
        let told = log.iter().any(|line| {
            line.contains("127.0.0.1") && line.contains("all connections that one peer may have")
        });
        ensure!(told, "{log:?}");
        Ok(())
    })?;
    held.clear();
    let again = until(PATIENCE, || host.get("/-/healthy"))?;
    assert_eq!(again.status, 200);
    Ok(())
}

/// Out of file descriptors it waits, says so, and goes on when there are some again.
#[cfg(target_os = "linux")]
#[test]
fn no_file_descriptors_left() -> Result<()> {
    let host = Meterbox::new().start()?;
    ensure!(host.get("/-/healthy")?.status == 200);
    host.limit_files(host.files()? + 4)?;
    let mut held = Vec::new();
    until(PATIENCE, || {
        held.push(connect(host.address())?);
        let told = host.log().iter().any(|line| line.contains("cannot accept"));
        ensure!(told, "{} connections", held.len());
        Ok(())
    })?;
    let (before, begun) = (host.cpu_time()?, Instant::now());
    until(PATIENCE, || {
        let lines = host.log();
        let told = lines.iter().filter(|line| line.contains("cannot accept"));
        ensure!(told.count() >= 6, "it does not try again");
        Ok(())
    })?;
    let (spent, took) = (host.cpu_time()? - before, begun.elapsed());
    ensure!(
        spent < took / 2 + Duration::from_millis(20),
        "it spins: {spent:?} of {took:?}"
    );
    held.clear();
    let again = until(PATIENCE, || host.get("/-/healthy")).context("it does not recover")?;
    assert_eq!(again.status, 200);
    Ok(())
}
