//! The pages in a browser: light and dark, wide and on a phone, with axe-core as the judge of whether everybody can read them.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{files, judges};
use serde_json::Value;

use super::{every_state, settled};

/// Pictures are left under `target/pages`, for people to look at.
#[test]
fn browsers_show_them_to_everybody() -> Result<()> {
    let (Some(chromium), Some(axe)) = (judges::find("chromium")?, judges::find("axe.min.js")?)
    else {
        return Ok(());
    };
    let host = every_state().start()?;
    for _ in 0..70 {
        host.scrape()?;
    }
    settled(&host)?;
    let root = format!("http://{}", host.address());
    let pages = [
        ("overview", "/"),
        ("well", "/plugins/counter"),
        ("quarantined", "/plugins/quarantined"),
        ("hostile", "/plugins/tries"),
        ("down", "/plugins/wants"),
        ("found", "/?search=total"),
        ("odd", "/?search=odd"),
    ];
    let output = Command::new("python3")
        .arg(files::root().join("tests/judges/browser.py"))
        .arg(chromium)
        .arg(axe)
        .arg(files::root().join("target/pages"))
        .args(pages.map(|(name, path)| format!("{name}={root}{path}")))
        .output()
        .context("no python3")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{errors}");
    let document: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(document["looks"], 4 * pages.len());
    let problems = document["problems"].as_array().context("no list")?;
    ensure!(problems.is_empty(), "{problems:#?}");
    Ok(())
}
