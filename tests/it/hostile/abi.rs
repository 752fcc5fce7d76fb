//! Plugins that break the canonical ABI: pointers out of bounds, text that is none, cases that there are not.

use anyhow::{Context, Result};

use super::{Guest, guest, guest_with, logs};

const TEXT: &str = "invalid utf-8";
const BOUNDS: &str = "out of bounds of memory";
const ALIGNMENT: &str = "not aligned";
const CASE: &str = "discriminant";

/// Stopped for this reason, which is nothing that the operator could raise: the author is at fault.
fn traps(guest: &Guest, why: &str) -> Result<()> {
    let keys = "config = { k = \"value\" }";
    let host = guest.fails(keys, "trap", why)?;
    logs(&host, &[why, "report it to the plugin's author"])
}

#[test]
fn texts_that_are_none() -> Result<()> {
    // Level, pointer and length.
    let cases = [
        ("1", "128", "14", TEXT),
        ("1", "65530", "7", BOUNDS),
        ("1", "-8", "4", BOUNDS),
        ("1", "128", "-1", BOUNDS),
        ("9", "128", "4", CASE),
    ];
    for (level, pointer, length, why) in cases {
        let words = [
            ("PAGES", "1"),
            ("LEVEL", level),
            ("POINTER", pointer),
            ("LENGTH", length),
        ];
        traps(&guest_with("lies_in_write", &words)?, why)
            .with_context(|| format!("level {level}, {length} bytes at {pointer}"))?;
    }
    Ok(())
}

#[test]
fn lists_that_are_none() -> Result<()> {
    // Pointer and number: broken text, text elsewhere, a list elsewhere, one out of line, one without end.
    let cases = [
        ("128", "1", TEXT),
        ("136", "1", BOUNDS),
        ("65532", "1", BOUNDS),
        ("129", "1", ALIGNMENT),
        ("128", "-1", BOUNDS),
    ];
    for (pointer, count, why) in cases {
        let words = [("POINTER", pointer), ("COUNT", count)];
        traps(&guest_with("lies_in_open", &words)?, why)
            .with_context(|| format!("{count} texts at {pointer}"))?;
    }
    Ok(())
}

#[test]
fn results_that_are_none() -> Result<()> {
    // Result, length of its error, where its samples are.
    let outside = r"\ff\ff\ff\7f";
    let cases = [
        ("64", outside, "", BOUNDS),
        ("80", "", "", CASE),
        ("96", "", r"\f8\ff\00\00", BOUNDS),
        ("96", "", r"\01\00\00\00", ALIGNMENT),
        ("112", "", "", TEXT),
        ("-4", "", "", BOUNDS),
        ("65", "", "", ALIGNMENT),
    ];
    for (result, length, samples, why) in cases {
        let words = [
            ("PAGES", "1"),
            ("LENGTH", length),
            ("SAMPLES", samples),
            ("RESULT", result),
        ];
        traps(&guest_with("lies_in_collect", &words)?, why)
            .with_context(|| format!("result {result}, {length} {samples}"))?;
    }
    Ok(())
}

/// The host calls into the guest for room while the guest calls the host.
#[test]
fn room_that_is_none() -> Result<()> {
    traps(&guest("allocates_outside")?, "beyond end of memory")?;
    traps(
        &guest("calls_from_realloc")?,
        "cannot leave component instance",
    )
}
