//! Plugins that trap, or never return, in each of their exports.

use anyhow::{Context, Result, ensure};
use meterbox_tests::{PATIENCE, TestHost, until};

use super::{Guest, guest, guest_with, logs, scrape};

/// What a guest may do, the kind of its fault, and how the log words it.
const ACTS: [(&str, &str, &str); 2] = [
    ("(unreachable)", "trap", "trapped"),
    ("(loop (br 0))", "deadline", "was stopped"),
];

const KEYS: &str = "routes = [\"/hostile\"]\nconfig = { k = \"value\" }\n\
    limits = { timeout = \"200ms\", start-timeout = \"200ms\", restart-pause = \"1ms\", quarantine-after = 2 }";

/// Does it in one place, and is inconspicuous elsewhere.
fn misbehaves(place: &str, act: &str) -> Result<Guest> {
    let places = [
        "IN_START",
        "IN_REALLOC",
        "IN_DESCRIBE",
        "IN_COLLECT",
        "IN_POST_RETURN",
        "IN_TEXT",
        "IN_INIT",
        "IN_INTERVAL",
        "IN_TICK",
        "IN_HANDLE",
    ];
    let words = places.map(|each| (each, if each == place { act } else { "" }));
    guest_with("misbehaves", &words)
}

/// Waits until it has cost so many faults, and the log names the export.
fn faults(host: &TestHost, kind: &str, export: &str, count: f64) -> Result<()> {
    until(PATIENCE, || {
        let labels = [("kind", kind), ("plugin", "hostile")];
        let faults = scrape(host)?.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(faults == count, "{faults} faults of kind {kind}");
        Ok(())
    })?;
    logs(
        host,
        &[&format!("kind={kind}"), &format!("export={export}")],
    )
}

/// What makes the tests below able to fail.
#[test]
fn one_that_behaves() -> Result<()> {
    let host = misbehaves("", "")?.beside_others(KEYS).start()?;
    let page = scrape(&host)?;
    ensure!(super::succeeds(&page)?, "{}", host.log().join("\n"));
    Ok(())
}

#[test]
fn while_it_starts() -> Result<()> {
    let exports = [
        ("IN_START", "instantiate"),
        ("IN_DESCRIBE", "describe"),
        ("IN_INIT", "init"),
        ("IN_INTERVAL", "interval-ms"),
    ];
    for (act, kind, wording) in ACTS {
        for (place, export) in exports {
            let refusal = misbehaves(place, act)?.beside_others(KEYS).refused()?;
            let told = format!("{export} {wording}");
            let words = ["hostile", &told];
            refusal
                .expect(78, &words)
                .with_context(|| format!("{kind} in {export}"))?;
        }
    }
    Ok(())
}

#[test]
fn while_it_collects() -> Result<()> {
    let exports = [
        ("IN_COLLECT", "collect"),
        ("IN_REALLOC", "collect"),
        ("IN_POST_RETURN", "collect"),
        ("IN_TEXT", "collect-text"),
    ];
    for (act, kind, _) in ACTS {
        for (place, export) in exports {
            let told = format!("export={export}");
            misbehaves(place, act)?
                .fails(KEYS, kind, &told)
                .with_context(|| format!("{kind} in {place}"))?;
        }
    }
    Ok(())
}

#[test]
fn while_it_ticks() -> Result<()> {
    for (act, kind, _) in ACTS {
        let host = misbehaves("IN_TICK", act)?.beside_others(KEYS).start()?;
        faults(&host, kind, "tick", 2.0)?;
        logs(&host, &["is quarantined"])?;
    }
    Ok(())
}

#[test]
fn while_it_answers_a_request() -> Result<()> {
    for ((act, kind, _), status) in ACTS.into_iter().zip([502, 504]) {
        let host = misbehaves("IN_HANDLE", act)?.beside_others(KEYS).start()?;
        for answered in 1..=3 {
            ensure!(host.get("/hostile")?.status == status);
            faults(&host, kind, "handle", f64::from(answered))?;
        }
        // Whoever can send requests cannot stop the collector.
        ensure!(super::succeeds(&scrape(&host)?)?);
    }
    Ok(())
}

/// Its author forgot the response: that is no question of time.
#[test]
fn one_that_answers_nothing() -> Result<()> {
    let host = misbehaves("", "")?.beside_others(KEYS).start()?;
    ensure!(host.get("/hostile")?.status == 502);
    faults(&host, "contract", "handle", 1.0)
}

/// The contract hands no resource of a guest to the host, so only the guest itself can run a destructor.
#[test]
fn while_it_drops_a_resource() -> Result<()> {
    let keys = "timeout = \"200ms\"";
    let host = guest("spins_in_drop")?.fails(keys, "deadline", "export=collect")?;
    logs(&host, &["plugins.hostile.limits.timeout"])
}
