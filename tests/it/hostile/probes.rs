//! Plugins that are asked for probes, and misbehave in one.

use anyhow::{Context, Result, ensure};
use meterbox_tests::{PATIENCE, Page, TestHost, until};

use super::{Guest, guest_with, logs, scrape, succeeds};

const KEYS: &str = "probe = true\nlimits = { timeout = \"200ms\", quarantine-after = 1 }";

fn probes(describe: &str, act: &str, result: u32) -> Result<Guest> {
    let result = result.to_string();
    let words = [("DESCRIBE", describe), ("ACT", act), ("RESULT", &*result)];
    guest_with("probes", &words)
}

/// What it says of a target.
fn probe(host: &TestHost) -> Result<f64> {
    let response = host.get("/probe?plugin=hostile&target=x")?;
    ensure!(response.status == 200, "{}", response.text()?);
    Page::parse(&response.text()?)?.number("probe_success", &[])
}

/// What makes the tests below able to fail.
#[test]
fn one_that_behaves() -> Result<()> {
    let host = probes("", "", 64)?.beside_others(KEYS).start()?;
    assert_eq!(probe(&host)?, 1.0);
    Ok(())
}

#[test]
fn a_probe_that_goes_wrong_costs_itself() -> Result<()> {
    for (act, result, kind, words) in [
        ("(unreachable)", 64, "trap", "trapped"),
        ("(loop (br 0))", 64, "deadline", "was stopped"),
        ("", 80, "trap", ""),
        ("", 96, "trap", ""),
        ("", 1 << 30, "trap", ""),
    ] {
        let host = probes("", act, result)?.beside_others(KEYS).start()?;
        for faults in [1.0, 2.0] {
            let what = || format!("{act}{result}");
            assert_eq!(probe(&host).with_context(what)?, 0.0, "{}", what());
            until(PATIENCE, || {
                // Whoever can ask for probes cannot stop the collector.
                let page = scrape(&host)?;
                ensure!(succeeds(&page)?, "{}", host.log().join("\n"));
                let labels = [("kind", kind), ("plugin", "hostile")];
                let found = page.number("meterbox_plugin_faults_total", &labels)?;
                ensure!(found == faults, "{found} faults of kind {kind}");
                let labels = [("plugin", "hostile"), ("result", "fault")];
                let probes = page.number("meterbox_plugin_probes_total", &labels)?;
                ensure!(probes == faults, "{probes} probes with a fault");
                Ok(())
            })?;
        }
        logs(&host, &["export=probe", words])?;
    }
    Ok(())
}

#[test]
fn samples_of_no_family_are_left_out() -> Result<()> {
    let host = probes("", "", 112)?.beside_others(KEYS).start()?;
    assert_eq!(probe(&host)?, 1.0);
    logs(
        &host,
        &["plugin=hostile", "samples of a probe are left out"],
    )
}

#[test]
fn one_that_cannot_describe_its_probes_is_refused() -> Result<()> {
    for (act, words) in [
        ("(unreachable)", "probe.describe trapped"),
        ("(loop (br 0))", "probe.describe was stopped"),
    ] {
        let keys = "probe = true\nlimits.start-timeout = \"200ms\"";
        let refusal = probes(act, "", 64)?.beside_others(keys).refused()?;
        refusal.expect(78, &["hostile", words])?;
        // Nobody asks, so nothing happens.
        let host = probes(act, "", 64)?.beside_others("").start()?;
        ensure!(host.get("/probe?plugin=hostile&target=x")?.status == 404);
    }
    Ok(())
}
