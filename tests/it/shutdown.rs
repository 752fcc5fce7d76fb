//! Signals.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Signal, until};

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

/// From the moment it watches for signals, which is before it reads its config, until it listens.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_during_the_start_ends_it_well() -> Result<()> {
    for delay in [0, 2, 5, 10, 20, 40, 80, 160, 320] {
        let (mut process, _dir) = Meterbox::demo().begin()?;
        until(PATIENCE, || {
            let status = fs::read_to_string(process.proc("status"))?;
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = u64::from_str_radix(caught.context("no such line")?.trim(), 16)?;
            let watched = [Signal::TERM, Signal::INT].map(|signal| 1 << (signal.as_raw() - 1));
            if watched.iter().any(|bit| caught & bit == 0) {
                bail!("it does not watch for signals");
            }
            Ok(())
        })?;
        thread::sleep(Duration::from_millis(delay));
        process.signal(Signal::TERM)?;
        let status = process.wait(PATIENCE)?;
        let lines = process.lines().join("\n");
        assert_eq!(status.code(), Some(0), "{delay} ms: {status}\n{lines}");
        ensure!(lines.contains("SIGTERM"), "{delay} ms: {lines}");
    }
    Ok(())
}

/// Whoever has no patience for the grace says so again.
#[test]
fn a_second_signal_cuts_the_grace_short() -> Result<()> {
    let mut host = Meterbox::with("spins", "test/spins_in_collect", "timeout = \"10m\"")
        .config("[web]\nshutdown-grace = \"10m\"\n")
        .start()?;
    let mut stream = TcpStream::connect(host.address())?;
    stream.write_all(
        b"GET /metrics HTTP/1.1\r\nHost: test\r\nX-Prometheus-Scrape-Timeout-Seconds: 600\r\n\r\n",
    )?;
    for _ in 0..3 {
        assert_eq!(host.get("/-/healthy")?.status, 200);
    }
    host.signal(Signal::TERM)?;
    until(PATIENCE, || {
        ensure!(host.log().iter().any(|line| line.contains("draining")));
        Ok(())
    })?;
    host.signal(Signal::TERM)?;
    assert_eq!(host.wait()?.code(), Some(0));
    Ok(())
}
