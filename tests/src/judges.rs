//! Programs that others wrote and that know better. `make judges` fetches them.

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};

use crate::files;

/// `prometheus`, `promtool` or `node_exporter`; none if it is not here and need not be. The test then ends, and says so.
pub fn find(name: &str) -> Result<Option<PathBuf>> {
    require(files::root().join("target/judges/bin").join(name), name)
}

/// A judge that is skipped also where judges are required.
pub fn find_optional(name: &str) -> Result<Option<PathBuf>> {
    let path = files::root().join("target/judges/bin").join(name);
    if path.is_file() {
        return Ok(Some(path));
    }
    skip(name)?;
    Ok(None)
}

/// A Python that has prometheus_client.
pub fn python() -> Result<Option<PathBuf>> {
    require(
        files::root().join("target/judges/venv/bin/python"),
        "prometheus_client",
    )
}

fn require(path: PathBuf, name: &str) -> Result<Option<PathBuf>> {
    if path.is_file() {
        return Ok(Some(path));
    }
    if env::var_os("METERBOX_REQUIRE_JUDGES").is_some_and(|value| value == "1") {
        bail!("the judge {name} is missing; `make judges` fetches it");
    }
    skip(name)?;
    Ok(None)
}

fn skip(name: &str) -> Result<()> {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    // Straight to the stream: a skipped test is to be seen although it passes.
    writeln!(
        io::stderr(),
        "skipped: {test}: the judge {name} is missing; `make judges` fetches it"
    )?;
    Ok(())
}

/// Runs a judge with this standard input.
pub fn ask(program: &Path, args: &[&str], input: &str) -> Result<Output> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let mut stdin = child.stdin.take().context("stdin is a pipe")?;
    thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output()?;
        writer.join().ok().context("the writer panicked")??;
        Ok(output)
    })
}
