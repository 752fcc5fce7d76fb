//! What a guest prints is in the log, bounded like its other lines.

use anyhow::{Result, ensure};

use super::{expect, trying};

#[test]
fn what_is_printed_is_logged() -> Result<()> {
    let attempts = [
        "print one\\ntwo\\n",
        "eprint three\\n",
        "print bad?\\e[31m\\n",
    ];
    let host = trying(&attempts, "").start()?;
    expect(&host, &attempts.map(|attempt| (attempt, "printed")))?;
    host.logged(&["one", "level=info", "stream=stdout", "tries"])?;
    host.logged(&["two", "level=info", "stream=stdout", "tries"])?;
    host.logged(&["three", "level=warn", "stream=stderr", "tries"])?;
    host.logged(&["bad\u{fffd}", "u{1b}"])?;
    ensure!(
        host.log().iter().all(|line| !line.contains('\u{1b}')),
        "the guest drives the terminal"
    );
    Ok(())
}

#[test]
fn long_lines_are_cut_and_many_are_dropped() -> Result<()> {
    let attempts = ["print LONG\\n"; 300];
    let host = trying(&attempts[..1], "").start()?;
    host.scrape()?;
    host.logged(&["stream=stdout", "cut=5904"])?;
    let many = (0..300).map(|number| format!("print line{number}\\n"));
    let many: Vec<_> = many.collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let host = trying(&many, "").start()?;
    let dropped = host.scrape_until(|page| {
        let dropped = page.number(
            "meterbox_plugin_log_lines_dropped_total",
            &[("plugin", "tries")],
        )?;
        ensure!(dropped > 0.0, "none was dropped");
        Ok(dropped)
    })?;
    ensure!(dropped >= 90.0, "{dropped}");
    Ok(())
}
