//! Plugins that do not start, the first time or again.

use anyhow::{Result, ensure};
use meterbox_tests::{PATIENCE, until};

use super::{guest, logs, scrape};

/// What cannot start at all is refused, with the limit if it was one.
#[test]
fn some_never_start() -> Result<()> {
    let cases: [(&str, &str, &[&str]); 6] = [
        ("traps_in_describe", "", &["hostile", "describe trapped"]),
        ("traps_in_init", "", &["hostile", "init trapped"]),
        ("grows_two_memories", "", &["plugins.hostile.limits.memory"]),
        (
            "starts_slowly",
            "limits.start-timeout = \"100ms\"",
            &[
                "instantiate was stopped",
                "plugins.hostile.limits.start-timeout",
            ],
        ),
        (
            "spins_in_describe",
            "limits.start-timeout = \"100ms\"",
            &[
                "describe was stopped",
                "plugins.hostile.limits.start-timeout",
            ],
        ),
        (
            "spins_in_init",
            "limits.start-timeout = \"100ms\"",
            &["init was stopped", "plugins.hostile.limits.start-timeout"],
        ),
    ];
    for (name, keys, words) in cases {
        let hostile = guest(name)?;
        hostile.beside_others(keys).refused()?.expect(78, words)?;
    }
    Ok(())
}

/// Faults that come one after the other get pauses between them, and in the end a long one.
#[test]
fn one_that_cannot_be_helped_is_quarantined() -> Result<()> {
    let keys = "limits = { restart-pause = \"1ms\", quarantine-after = 5 }";
    for (name, export) in [("traps_in_tick", "tick"), ("traps_again", "init")] {
        let hostile = guest(name)?;
        let host = hostile.beside_others(keys).start()?;
        let labels = [("kind", "trap"), ("plugin", "hostile")];
        until(PATIENCE, || {
            scrape(&host)?;
            let log = host.log();
            let quarantined = log.iter().any(|line| line.contains("is quarantined"));
            ensure!(quarantined, "{}", log.join("\n"));
            Ok(())
        })?;
        let before = scrape(&host)?.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(before == 5.0, "{before} faults");
        // No instance, no fault.
        let after = scrape(&host)?.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(after == before, "{after} faults");
        let told = format!("export={export}");
        ensure!(
            host.log().iter().any(|line| line.contains(&told)),
            "{export} is not named"
        );
    }
    Ok(())
}

/// A later instance may not report anything else.
#[test]
fn one_that_describes_itself_differently() -> Result<()> {
    let hostile = guest("describes_by_the_clock")?;
    let keys = "limits.restart-pause = \"1ms\"";
    let host = hostile.beside_others(keys).start()?;
    scrape(&host)?;
    logs(
        &host,
        &["kind=contract", "export=describe", "other families"],
    )?;
    let labels = [("kind", "contract"), ("plugin", "hostile")];
    let faults = scrape(&host)?.number("meterbox_plugin_faults_total", &labels)?;
    ensure!(faults >= 1.0, "{faults} faults");
    Ok(())
}
