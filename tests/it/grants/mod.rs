//! What a plugin may use, and what not: a guest that tries, and what each attempt comes to.

mod files;
mod network;
mod requests;
mod stdio;
mod wants;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Page, TestHost};

/// The guest `grants`, which tries these on every scrape.
fn trying(attempts: &[&str], grants: &str) -> Meterbox {
    let keys = format!(
        "config = {{ try = {:?} }}\n[plugins.tries.grants]\n{grants}",
        attempts.join("\n")
    );
    Meterbox::with("tries", "test/grants", &keys)
}

/// What an attempt came to on this page.
fn outcome<'a>(page: &'a Page, attempt: &str) -> Result<&'a str> {
    let mut samples = page.family("attempt")?.samples.iter();
    let sample = samples.find(|sample| sample.label("what") == attempt);
    let sample = sample.with_context(|| format!("{attempt:?} was not tried"))?;
    Ok(sample.label("outcome"))
}

/// Each attempt comes to this; `error` stands for any error.
fn expect(host: &TestHost, attempts: &[(&str, &str)]) -> Result<Page> {
    let page = host.scrape()?;
    for (attempt, wanted) in attempts {
        let got = outcome(&page, attempt)?;
        let is_right = match *wanted {
            "error" => got.starts_with("error: "),
            wanted => got == wanted,
        };
        ensure!(
            is_right,
            "{attempt:?} came to {got:?}, not {wanted:?}\n{:#?}",
            host.log()
        );
    }
    Ok(page)
}

fn denials(page: &Page, grant: &str) -> Option<f64> {
    let labels = [("plugin", "tries"), ("grant", grant)];
    page.value("meterbox_plugin_grant_denials_total", &labels)
}

fn uses(page: &Page, grant: &str) -> Option<f64> {
    let labels = [("plugin", "tries"), ("grant", grant)];
    page.value("meterbox_plugin_grant_uses_total", &labels)
}

/// Without a grant there is nothing; each denial is counted, and names the line that would allow it.
#[test]
fn nothing_is_granted_by_itself() -> Result<()> {
    let cases = [
        ("dirs", "read / etc/passwd", "dirs = [\"/path\"]"),
        ("env", "env HOME", "env = { NAME = \"value\" }"),
        ("tcp", "tcp 127.0.0.1:9", "tcp = [\"HOST:PORT\"]"),
        ("udp", "udp 127.0.0.1:9", "udp = [\"HOST:PORT\"]"),
        ("dns", "dns localhost", "dns = [\"localhost\"]"),
        (
            "http",
            "http GET http://127.0.0.1:9/x",
            "http = [\"http://127.0.0.1:9/x\"]",
        ),
    ];
    let attempts = cases.map(|(_, attempt, _)| attempt);
    let host = trying(&attempts, "").start()?;
    let page = host.scrape()?;
    for (grant, attempt, line) in cases {
        let got = outcome(&page, attempt)?;
        ensure!(got.starts_with("error: "), "{attempt}: {got}");
        // The page before the one that it is on may have been taken in the middle of its attempts.
        let denied = host.scrape_until(|page| denials(page, grant).context("not counted"))?;
        ensure!(denied >= 1.0, "{grant}: {denied}");
        // Quotes are escaped in the log.
        let line = line.replace('"', "\\\"");
        host.logged(&[
            "denied",
            &format!("grant={grant}"),
            &line,
            "[plugins.tries.grants]",
        ])?;
    }
    let page = host.scrape()?;
    ensure!(
        uses(&page, "tcp").is_none(),
        "a series of what nobody granted"
    );
    ensure!(
        denials(&page, "meminfo").is_none(),
        "a series of what nobody tried"
    );
    Ok(())
}

#[test]
fn arguments_are_empty() -> Result<()> {
    let host = trying(&["arguments"], "").start()?;
    expect(&host, &[("arguments", "[]")])?;
    Ok(())
}

/// One that waits in the host is stopped at its deadline, and the next one is served.
#[test]
fn who_waits_in_the_host_is_stopped() -> Result<()> {
    let host = Meterbox::with(
        "tries",
        "test/grants",
        "timeout = \"300ms\"\nconfig = { try = \"sleep\" }",
    )
    .start()?;
    for _ in 0..2 {
        host.scrape_until(|page| {
            let labels = [("kind", "deadline"), ("plugin", "tries")];
            let faults = page.number("meterbox_plugin_faults_total", &labels)?;
            ensure!(faults >= 1.0, "{faults} faults");
            Ok(())
        })?;
    }
    Ok(())
}
