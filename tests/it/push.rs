//! Metrics that are pushed: to a real Prometheus, and to receivers that do not want them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Prometheus, TestHost, judges, until};

fn pushing(address: SocketAddr, keys: &str) -> Meterbox {
    Meterbox::with("counter", "counter", "")
        .and("pond", "pond_histogram", "")
        .config(&format!(
            "[push]\nurl = \"http://{address}/api/v1/write\"\ninterval = \"200ms\"\n{keys}\n\
             [push.labels]\njob = \"edge\"\ninstance = \"one\"\n"
        ))
}

fn number(host: &TestHost, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
    host.scrape()?.number(name, labels)
}

const ANY: &str = "127.0.0.1:0";

#[test]
fn prometheus_gets_what_a_scrape_would_have_shown() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let receiver = Prometheus::start_receiving(&program, folder.path(), ANY.parse()?)?;
    let host = pushing(receiver.address(), "").start()?;
    until(PATIENCE, || {
        let count = receiver.scalar("ep1_counter{job=\"edge\",instance=\"one\"}")?;
        ensure!(count > 0.0, "nothing was counted yet");
        Ok(())
    })?;
    // What does not move, with all of its labels.
    let shown = host.scrape()?;
    let pond = shown
        .samples()
        .filter(|sample| sample.name.starts_with("pond_"));
    let mut series = 0;
    for sample in pond {
        let labels = sample.labels.iter();
        let labels: String = labels
            .map(|(name, value)| format!(",{name}={value:?}"))
            .collect();
        let query = format!("{}{{job=\"edge\"{labels}}}", sample.name);
        let stored = receiver.scalar(&query)?;
        ensure!(
            stored == sample.value,
            "{query} is {stored}, not {}",
            sample.value
        );
        series += 1;
    }
    ensure!(series >= 8, "only {series} series");
    ensure!(
        number(
            &host,
            "meterbox_push_requests_total",
            &[("outcome", "refused")]
        )? == 0.0
    );
    Ok(())
}

#[test]
fn nothing_is_lost_while_the_receiver_restarts() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let receiver = Prometheus::start_receiving(&program, folder.path(), ANY.parse()?)?;
    let address = receiver.address();
    let host = pushing(address, "").start()?;
    let has_some = |receiver: &Prometheus, most: usize| {
        let stored = receiver.stored("ep1_counter{job=\"edge\"}[1h]")?;
        ensure!(stored.len() > most, "{} samples", stored.len());
        Ok(stored)
    };
    until(PATIENCE, || has_some(&receiver, 3))?;
    drop(receiver);
    until(PATIENCE, || {
        let waiting = number(&host, "meterbox_push_queue_bytes", &[])?;
        let retries = number(&host, "meterbox_push_retries_total", &[])?;
        ensure!(waiting > 5000.0 && retries > 1.0, "{waiting} bytes wait");
        Ok(())
    })?;
    let receiver = Prometheus::start_receiving(&program, folder.path(), address)?;
    until(PATIENCE, || {
        let waiting = number(&host, "meterbox_push_queue_bytes", &[])?;
        ensure!(waiting == 0.0, "{waiting} bytes wait");
        Ok(())
    })?;
    host.logged(&["the receiver of pushed metrics is back"])?;
    let dropped = number(
        &host,
        "meterbox_push_requests_total",
        &[("outcome", "dropped")],
    )?;
    ensure!(dropped == 0.0, "{dropped} were dropped");
    // A sample for each interval, but for those that a busy machine skipped; of none that was taken is one missing.
    let accepted = number(
        &host,
        "meterbox_push_requests_total",
        &[("outcome", "accepted")],
    )?;
    let stored = has_some(&receiver, 5)?;
    ensure!(
        stored.len() as f64 >= accepted - 1.0,
        "{} of {accepted} pages are stored",
        stored.len()
    );
    ensure!(stored.is_sorted(), "a counter went backwards: {stored:?}");
    Ok(())
}

/// What a receiver was sent: the head, with lower-case names.
type Heads = Arc<Mutex<Vec<String>>>;

/// Answers each request with the next of these status lines and headers, the last one again and again.
fn receiver(answers: &'static [&'static str]) -> Result<(SocketAddr, Heads)> {
    let listener = TcpListener::bind(ANY)?;
    let address = listener.local_addr()?;
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    thread::spawn(move || {
        let mut next = answers
            .iter()
            .chain(std::iter::repeat(answers.last().unwrap_or(&"")));
        for stream in listener.incoming() {
            let Some(answer) = next.next() else { return };
            let head = stream
                .map_err(Into::into)
                .and_then(|stream| serve(stream, answer));
            if let (Ok(head), Ok(mut seen)) = (head, seen.lock()) {
                seen.push(head);
            }
        }
    });
    Ok((address, heads))
}

fn serve(stream: TcpStream, answer: &str) -> Result<String> {
    let mut input = BufReader::new(stream);
    let mut head = String::new();
    while input.read_line(&mut head)? > 2 {}
    let lower = head.to_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.context("no length")?.parse()?];
    input.read_exact(&mut body)?;
    write!(
        input.get_mut(),
        "HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 9\r\n\r\nnot\ntoday"
    )?;
    Ok(head)
}

#[test]
fn what_is_refused_is_not_sent_again() -> Result<()> {
    let (address, heads) = receiver(&["400 Bad Request"])?;
    let keys = "username = \"u\"\npassword = \"s3cret\"\nheaders = { X-Scope-OrgID = \"tenant\" }";
    let host = pushing(address, keys).start()?;
    until(PATIENCE, || {
        let refused = number(
            &host,
            "meterbox_push_requests_total",
            &[("outcome", "refused")],
        )?;
        ensure!(refused >= 2.0, "{refused} refused");
        Ok(())
    })?;
    ensure!(number(&host, "meterbox_push_retries_total", &[])? == 0.0);
    host.logged(&["refuses pushed metrics", "400 Bad Request: not today"])?;
    let heads = heads
        .lock()
        .ok()
        .context("poisoned")?
        .join("\n")
        .to_lowercase();
    for wanted in [
        "post /api/v1/write http/1.1",
        "content-type: application/x-protobuf",
        "content-encoding: snappy",
        "x-prometheus-remote-write-version: 0.1.0",
        "x-scope-orgid: tenant",
        // u:s3cret
        "authorization: basic dtpzm2nyzxq=",
    ] {
        ensure!(heads.contains(wanted), "no {wanted} in {heads}");
    }
    let log = host.log().join("\n");
    ensure!(!log.contains("s3cret"), "{log}");
    Ok(())
}

#[test]
fn what_comes_too_early_is_sent_again() -> Result<()> {
    let (address, _) = receiver(&[
        "503 Service Unavailable",
        "429 Too Many Requests",
        "204 No Content",
    ])?;
    let host = pushing(address, "").start()?;
    until(PATIENCE, || {
        let accepted = number(
            &host,
            "meterbox_push_requests_total",
            &[("outcome", "accepted")],
        )?;
        let retries = number(&host, "meterbox_push_retries_total", &[])?;
        ensure!(
            accepted >= 1.0 && retries == 2.0,
            "{accepted} after {retries}"
        );
        Ok(())
    })?;
    host.logged(&["503 Service Unavailable"])?;
    Ok(())
}

#[test]
fn the_oldest_make_room() -> Result<()> {
    let (address, _) = receiver(&["503 Service Unavailable"])?;
    let host = pushing(address, "queue = \"10KiB\"").start()?;
    until(PATIENCE, || {
        let dropped = number(
            &host,
            "meterbox_push_requests_total",
            &[("outcome", "dropped")],
        )?;
        ensure!(dropped > 1.0, "{dropped} dropped");
        Ok(())
    })?;
    let waiting = number(&host, "meterbox_push_queue_bytes", &[])?;
    ensure!(waiting <= 10240.0, "{waiting} bytes wait");
    host.logged(&["queue of pushed metrics is full", "raise push.queue"])?;
    Ok(())
}

#[test]
fn a_config_that_cannot_push_is_refused() -> Result<()> {
    for (keys, words) in [
        ("url = \"prometheus:9090\"", "push.url: is no URL"),
        (
            "url = \"http://u:s3cret@a/\"",
            "write username and password",
        ),
        (
            "url = \"http://a/\"\npassword = \"x\"",
            "push.password: has no username",
        ),
        ("url = \"http://a/\"\ninterval = \"0s\"", "push.interval"),
        (
            "url = \"http://a/\"\nlabels = { __name__ = \"x\" }",
            "cannot name a label",
        ),
        (
            "url = \"http://a/\"\nbearer-token = { file = \"/not/there\" }",
            "[push] bearer-token: cannot take it from /not/there",
        ),
        (
            "url = \"https://a/\"\nca-file = \"/not/there\"",
            "[push] ca-file: /not/there",
        ),
    ] {
        let refusal = Meterbox::new()
            .config(&format!("[push]\n{keys}\n"))
            .refused()?;
        refusal.expect(78, &[words])?;
        ensure!(!refusal.output.contains("s3cret"), "{}", refusal.output);
    }
    Ok(())
}
