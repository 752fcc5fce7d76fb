//! Files within every figure that still take a compiler long, or much: its process has limits.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use meterbox_tests::Meterbox;

use super::Guest;

/// Functions close to the longest that is compiled, in which whatever is written may be read anywhere later.
fn bomb(functions: usize) -> Result<Guest> {
    let locals = "i64 ".repeat(500);
    // The parameter is number 0.
    let local = |number: usize| 1 + number % 500;
    let steps: String = (0..40_000)
        .map(|step| {
            let (to, a, b) = (local(step * 7), local(step * 11), local(step * 13));
            format!(
                "(block (br_if 0 (local.get 0)) (local.set {to} (i64.add (local.get {a}) (local.get {b}))))"
            )
        })
        .collect();
    let function =
        format!("(func (param i32) (result i64) (local {locals}) {steps} (local.get 9))");
    let text = format!("(component (core module {}))", function.repeat(functions));
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("guest.wasm"), wat::parse_str(text)?)?;
    Ok(Guest { dir, name: "bomb" })
}

/// The start is refused for it, in good time; nothing else is wrong.
fn is_refused(guest: &Guest, limit: &str, key: &str) -> Result<()> {
    let started = Instant::now();
    let limits = format!("[limits]\n{limit}\n");
    // Alone: the limits are those of all plugins.
    let file = guest.path();
    let exporter = Meterbox::with("hostile", super::path(&file), "").config(&limits);
    exporter.refused()?.expect(78, &["hostile", key])?;
    let took = started.elapsed();
    ensure!(took < Duration::from_secs(20), "it took {took:?}");
    Ok(())
}

#[test]
fn one_that_takes_long() -> Result<()> {
    is_refused(&bomb(20)?, "compile-time = \"1s\"", "limits.compile-time")
}

#[test]
fn one_that_takes_much_memory() -> Result<()> {
    is_refused(
        &bomb(20)?,
        "compile-memory = \"256MiB\"",
        "limits.compile-memory",
    )
}
