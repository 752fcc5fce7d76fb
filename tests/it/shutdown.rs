//! Signals.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Signal};

#[test]
fn both_signals_end_it_well() -> Result<()> {
    for signal in [Signal::TERM, Signal::INT] {
        let mut host = Meterbox::demo().start()?;
        host.scrape()?;
        host.signal(signal)?;
        let status = host.wait()?;
        assert_eq!(
            status.code(),
            Some(0),
            "{signal:?}: {status}\n{}",
            host.log().join("\n")
        );
        ensure!(
            host.get("/-/healthy").is_err(),
            "{signal:?}: somebody still answers"
        );
    }
    Ok(())
}

/// A scrape that has begun when the signal comes gets its page.
#[test]
fn a_request_in_flight_is_answered() -> Result<()> {
    let mut host = Meterbox::with("spins", "test/spins_in_collect", "timeout = \"30s\"")
        .and("counter_vec", "counter_vec", "")
        .start()?;
    // The plugin that never returns keeps this one for most of a second.
    let mut stream = TcpStream::connect(host.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(
        b"GET /metrics HTTP/1.1\r\nHost: test\r\nX-Prometheus-Scrape-Timeout-Seconds: 1\r\nConnection: close\r\n\r\n",
    )?;
    // Connections are taken in turn: when later ones have their answers, the first has been read.
    for _ in 0..3 {
        assert_eq!(host.get("/-/healthy")?.status, 200);
    }
    host.signal(Signal::TERM)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    ensure!(answer.contains("\nhttp_requests_total{"), "{answer:?}");
    assert_eq!(host.wait()?.code(), Some(0));
    Ok(())
}

/// Ticks and plugins that never return must not hold up the end either.
#[test]
fn a_plugin_that_spins_does_not_delay_the_end() -> Result<()> {
    let mut host = Meterbox::with("spins", "test/spins_in_collect", "timeout = \"10m\"")
        .config("[web]\nshutdown-grace = \"1s\"\n")
        .start()?;
    host.request(
        "GET",
        "/metrics",
        &[("x-prometheus-scrape-timeout-seconds", "0.1")],
    )?;
    host.signal(Signal::TERM)?;
    let status = host.wait()?;
    assert_eq!(
        status.code(),
        Some(0),
        "{status}\n{}",
        host.log().join("\n")
    );
    Ok(())
}
