//! Plugins that say what they want.

use anyhow::{Result, ensure};
use meterbox_tests::Meterbox;

#[test]
fn what_is_needed_is_told_as_lines_of_config() -> Result<()> {
    let refusal = Meterbox::with("w", "test/wants", "").refused()?;
    refusal.expect(78, &["\"w\"", "needs"])?;
    let lines = [
        "[plugins.w.grants]",
        "meminfo = true   # reports free memory",
        "tcp = [\"db.example.com:5432\", \"cache.example.com:6379\"]   # asks the database; asks the cache",
        "http = [{ url = \"https://api.example.com/v1\", methods = [\"GET\", \"POST\"] }]   # asks the service",
    ];
    let shown: Vec<_> = refusal.output.lines().collect();
    for line in lines {
        ensure!(
            shown.contains(&line),
            "no line {line:?} in:\n{}",
            refusal.output
        );
    }
    ensure!(
        !refusal.output.contains("TZ"),
        "what is optional is asked for"
    );

    // What it says is what to write.
    let host = Meterbox::with("w", "test/wants", &lines.join("\n")).start()?;
    assert_eq!(host.scrape()?.number("wanting", &[])?, 1.0);
    Ok(())
}

#[test]
fn what_is_half_granted_is_completed() -> Result<()> {
    let keys = "[plugins.w.grants]\nmeminfo = true\ntcp = [\"db.example.com:*\"]\n\
                http = [{ url = \"https://api.example.com\", methods = [\"GET\", \"POST\"] }]";
    let refusal = Meterbox::with("w", "test/wants", keys).refused()?;
    refusal.expect(
        78,
        &["# add to tcp: \"cache.example.com:6379\"   # asks the cache"],
    )?;
    ensure!(!refusal.output.contains("5432"), "{}", refusal.output);
    ensure!(
        !refusal.output.contains("api.example.com"),
        "{}",
        refusal.output
    );
    Ok(())
}
