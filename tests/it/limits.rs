//! Peers that are slow, silent or many.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, raw};

const GET: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";

/// The default is 10 seconds, as in any exporter; the tests have less time.
fn impatient() -> Meterbox {
    Meterbox::new().config("[web]\nread-timeout = \"300ms\"\n")
}

/// Whoever trickles a request in, or only connects, is let go.
#[test]
fn an_unfinished_request_is_cut_off() -> Result<()> {
    let host = impatient().start()?;
    for beginning in [
        "",
        "GET /metrics HT",
        "GET /metrics HTTP/1.1\r\nHost: test\r\n",
    ] {
        let started = Instant::now();
        let answer = raw(host.address(), beginning)?;
        let took = started.elapsed();
        ensure!(
            !answer.contains(" 200 "),
            "{beginning:?} was answered: {answer}"
        );
        ensure!(
            took >= Duration::from_millis(250),
            "{beginning:?} was cut off after {took:?}"
        );
        ensure!(
            took < Duration::from_secs(5),
            "{beginning:?} was kept for {took:?}"
        );
    }
    Ok(())
}

#[test]
fn an_idle_connection_is_closed_after_its_answer() -> Result<()> {
    let host = impatient().start()?;
    // Without `Connection: close`: it is the exporter that ends it.
    let answer = raw(host.address(), std::str::from_utf8(GET)?)?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    ensure!(answer.matches("HTTP/1.1").count() == 1, "{answer}");
    Ok(())
}

#[test]
fn one_connection_too_many_waits_for_another_to_end() -> Result<()> {
    let host = Meterbox::new()
        .config("[web]\nmax-connections = 1\n")
        .start()?;
    let mut first = TcpStream::connect(host.address())?;
    let mut second = TcpStream::connect(host.address())?;
    let mut byte = [0];

    first.set_read_timeout(Some(PATIENCE))?;
    first.write_all(GET)?;
    first.read_exact(&mut byte)?;

    second.set_read_timeout(Some(Duration::from_millis(300)))?;
    second.write_all(GET)?;
    let waits = second.read(&mut byte).map_err(|error| error.kind());
    ensure!(
        matches!(waits, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "not made to wait: {waits:?}"
    );

    drop(first);
    second.set_read_timeout(Some(PATIENCE))?;
    second.read_exact(&mut byte)?;
    Ok(())
}

/// Heads without end are not gathered in memory.
#[test]
fn an_endless_head_is_refused() -> Result<()> {
    let host = Meterbox::new().start()?;
    let mut stream = TcpStream::connect(host.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\n")?;
    let line = format!("x-filler: {}\r\n", "x".repeat(1000));
    let mut sent = 0;
    // It fails once the other side has closed.
    while sent < 16 * 1024 * 1024 && stream.write_all(line.as_bytes()).is_ok() {
        sent += line.len();
    }
    ensure!(sent < 16 * 1024 * 1024, "{sent} bytes of head were taken");
    ensure!(host.get("/-/healthy")?.status == 200, "it does not live on");
    Ok(())
}
