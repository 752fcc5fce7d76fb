//! What a call may take, and no more: time, memory, output, the host's attention.

use anyhow::{Result, ensure};
use meterbox_tests::{PATIENCE, until};

use super::{guest, guest_with, logs, scrape, succeeds};

#[test]
fn one_that_spins_is_stopped_by_the_clock_on_the_wall() -> Result<()> {
    let keys = "timeout = \"200ms\"";
    guest("spins")?.fails(keys, "deadline", "plugins.hostile.limits.timeout")?;
    Ok(())
}

#[test]
fn one_that_spins_is_stopped_by_its_processor_time() -> Result<()> {
    let keys = "limits.cpu = \"100ms\"";
    guest("spins")?.fails(keys, "cpu", "plugins.hostile.limits.cpu")?;
    Ok(())
}

#[test]
fn one_that_waits_in_the_host_is_given_up() -> Result<()> {
    let keys = "timeout = \"200ms\"";
    guest("waits")?.fails(keys, "deadline", "plugins.hostile.limits.timeout")?;
    Ok(())
}

#[test]
fn memory_ends() -> Result<()> {
    guest("grows_memory")?.fails("", "memory", "plugins.hostile.limits.memory")?;
    Ok(())
}

#[test]
fn tables_end() -> Result<()> {
    guest("grows_table")?.fails("", "memory", "plugins.hostile.limits.table-elements")?;
    Ok(())
}

#[test]
fn resources_end() -> Result<()> {
    guest("hoards_resources")?.fails("", "memory", "plugins.hostile.limits.resources")?;
    Ok(())
}

#[test]
fn recursion_ends() -> Result<()> {
    let host = guest("recurses")?.fails("", "trap", "raise limits.stack")?;
    let names = |line: &String| line.contains("deeper < ") && line.contains("export=collect");
    ensure!(host.log().iter().any(names), "no backtrace with names");
    Ok(())
}

#[test]
fn results_are_bounded() -> Result<()> {
    let hostile = guest("returns_a_gigabyte")?;
    hostile.fails("", "output", "plugins.hostile.limits.call-bytes")?;
    Ok(())
}

#[test]
fn host_calls_are_bounded() -> Result<()> {
    let hostile = guest("floods_the_host")?;
    let keys = "limits.host-calls = 1000";
    hostile.fails(keys, "calls", "plugins.hostile.limits.host-calls")?;
    Ok(())
}

/// The plugin goes on; its noise does not.
#[test]
fn log_lines_are_bounded() -> Result<()> {
    let hostile = guest("floods_the_log")?;
    let host = hostile.beside_others("").start()?;
    scrape(&host)?;
    let page = scrape(&host)?;
    let success = [("plugin", "hostile")];
    assert_eq!(
        page.printed("meterbox_plugin_collect_success", &success),
        "1"
    );
    let noise = until(PATIENCE, || {
        let log = host.log();
        let told = log
            .iter()
            .any(|line| line.contains("the plugin logs too much"));
        let noise = log.iter().filter(|line| line.contains("noise")).count();
        let dropped = [("plugin", "hostile")];
        let dropped = scrape(&host)?.number("meterbox_plugin_log_lines_dropped_total", &dropped)?;
        ensure!(told && dropped > 90_000.0, "{dropped} lines dropped");
        Ok(noise)
    })?;
    // Ten seconds' worth at once, and 20 for each second since.
    ensure!((1..=400).contains(&noise), "{noise} lines");
    Ok(())
}

/// Where guest code runs and it does not look so: in what it has for the host's own use.
#[test]
fn ones_that_spin_beside_their_exports() -> Result<()> {
    let keys = "timeout = \"200ms\"\nconfig = { k = \"value\" }";
    for name in ["spins_in_realloc", "spins_in_post_return"] {
        let host = guest(name)?.fails(keys, "deadline", "plugins.hostile.limits.timeout")?;
        logs(&host, &["kind=deadline", "export=collect"])?;
    }
    Ok(())
}

#[test]
fn one_that_spins_in_ticks() -> Result<()> {
    let keys = "limits = { timeout = \"100ms\", restart-pause = \"1ms\", quarantine-after = 2 }";
    let host = guest("spins_in_tick")?.beside_others(keys).start()?;
    until(PATIENCE, || {
        let page = scrape(&host)?;
        let labels = [("kind", "deadline"), ("plugin", "hostile")];
        let faults = page.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(faults == 2.0, "{faults} faults");
        Ok(())
    })?;
    let limit = "plugins.hostile.limits.timeout";
    logs(&host, &["kind=deadline", "export=tick", limit])?;
    logs(&host, &["is quarantined"])
}

/// It costs what it costs each time, and the scrapes between have their samples.
#[test]
fn one_that_spins_each_third_time() -> Result<()> {
    let keys = "timeout = \"100ms\"";
    let host = guest("spins_each_third_time")?
        .beside_others(keys)
        .start()?;
    for _ in 0..2 {
        // The second time after a pause.
        until(PATIENCE, || {
            ensure!(succeeds(&scrape(&host)?)?, "it did not succeed");
            Ok(())
        })?;
        assert!(succeeds(&scrape(&host)?)?);
        assert!(!succeeds(&scrape(&host)?)?);
    }
    // The second time nobody has waited for it.
    until(PATIENCE, || {
        let labels = [("kind", "deadline"), ("plugin", "hostile")];
        let faults = scrape(&host)?.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(faults == 2.0, "{faults} faults");
        Ok(())
    })
}

/// A hundred megabytes in one string, to the host and from it.
#[test]
fn strings_are_bounded() -> Result<()> {
    let keys = "limits.memory = \"128MiB\"";
    let (kind, limit) = ("output", "plugins.hostile.limits.call-bytes");
    let argument = [
        ("PAGES", "1600"),
        ("LEVEL", "1"),
        ("POINTER", "65536"),
        ("LENGTH", "100000000"),
    ];
    guest_with("lies_in_write", &argument)?.fails(keys, kind, limit)?;
    let result = [
        ("PAGES", "1600"),
        ("LENGTH", r"\00\e1\f5\05"),
        ("SAMPLES", ""),
        ("RESULT", "64"),
    ];
    guest_with("lies_in_collect", &result)?.fails(keys, kind, limit)?;
    Ok(())
}
