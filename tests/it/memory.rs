//! Memory figures against the kernel's file. Values that move are bracketed by two readings of it.
#![cfg(target_os = "linux")]

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Page, until};

/// What other processes may take and give back between a reading and a scrape.
const DRIFT: f64 = 16.0 * 1024.0 * 1024.0;

/// Bytes (or plain numbers) by the kernel's key.
fn kernel() -> Result<BTreeMap<String, f64>> {
    let text = fs::read_to_string("/proc/meminfo")?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (key, rest) = line.split_once(':').context("a line without a key")?;
            let mut words = rest.split_whitespace();
            let number: f64 = words.next().context("a key without a number")?.parse()?;
            let scale = if words.next() == Some("kB") {
                1024.0
            } else {
                1.0
            };
            Ok((key.to_owned(), number * scale))
        })
        .collect()
}

fn field(of: &BTreeMap<String, f64>, key: &str) -> Result<f64> {
    of.get(key)
        .copied()
        .with_context(|| format!("the kernel has no {key}"))
}

fn near(name: &str, value: f64, a: f64, b: f64) -> Result<()> {
    let (least, most) = (a.min(b) - DRIFT, a.max(b) + DRIFT);
    ensure!(
        (least..=most).contains(&value),
        "{name} is {value}, the kernel says {a} to {b}"
    );
    Ok(())
}

#[test]
fn memory_is_the_kernels() -> Result<()> {
    let host = Meterbox::demo().start()?;
    until(PATIENCE, || {
        let (before, page, after) = (kernel()?, host.scrape()?, kernel()?);
        let gauge = |name: &str, help: &str| -> Result<f64> {
            page.expect(name, "gauge", help)?;
            page.number(name, &[])
        };
        let total = gauge("memory_total_bytes", "Total memory in bytes")?;
        let used = gauge("memory_used_bytes", "Used memory in bytes")?;
        let free = gauge("memory_free_bytes", "Free memory in bytes")?;
        assert_eq!(total, field(&before, "MemTotal")?);
        near(
            "memory_free_bytes",
            free,
            field(&before, "MemFree")?,
            field(&after, "MemFree")?,
        )?;
        let used_at = |kernel| Ok::<_, anyhow::Error>(total - field(kernel, "MemAvailable")?);
        near(
            "memory_used_bytes",
            used,
            used_at(&before)?,
            used_at(&after)?,
        )
    })
}

#[test]
fn every_line_of_the_kernel_has_a_family() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let page = host.scrape()?;
    let mut expected: Vec<_> = fs::read_to_string("/proc/meminfo")?
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, rest)| {
            let key = key.replace('(', "_").replace(')', "");
            let unit = if rest.ends_with("kB") { "_bytes" } else { "" };
            format!("node_memory_{key}{unit}")
        })
        .collect();
    expected.sort();
    let shown: Vec<_> = page
        .plugin_families()
        .map(|family| &*family.name)
        .filter(is_node_memory)
        .collect();
    assert_eq!(shown, expected);
    Ok(())
}

fn is_node_memory(name: &&str) -> bool {
    name.starts_with("node_memory_")
}

/// What `grants` opens is closed by default, and the operator is told which line would open it.
#[test]
fn without_the_grant_nothing_is_read() -> Result<()> {
    let host = Meterbox::with("memory", "memory", "")
        .and("counter_vec", "counter_vec", "")
        .start()?;
    let page: Page = host.scrape()?;
    assert_eq!(
        page.value("meterbox_plugin_collect_success", &[("plugin", "memory")]),
        Some(0.0)
    );
    assert_eq!(page.value("memory_total_bytes", &[]), None);
    assert_eq!(
        page.value(
            "meterbox_plugin_collect_success",
            &[("plugin", "counter_vec")]
        ),
        Some(1.0)
    );
    until(PATIENCE, || {
        let log = host.log();
        let told = log.iter().any(|line| {
            line.contains("memory") && line.contains("grant") && line.contains("meminfo")
        });
        ensure!(
            told,
            "the log does not say which grant is missing:\n{}",
            log.join("\n")
        );
        Ok(())
    })
}
