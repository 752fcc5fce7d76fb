//! Compiled plugins are kept, and nothing that happens to them costs more than compiling again.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Signal, TestHost, files};

fn exporter(state: &Path) -> Meterbox {
    Meterbox::with("counter", "counter", "").arg(format!("--state.directory={}", state.display()))
}

fn entries(state: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(state.join("code"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn works(host: &TestHost) -> Result<()> {
    let page = host.get("/metrics")?.text()?;
    let up = "meterbox_plugin_collect_success{plugin=\"counter\"} 1\n";
    ensure!(page.contains(up), "{page}");
    Ok(())
}

fn warnings(host: &TestHost) -> usize {
    host.log()
        .iter()
        .filter(|line| line.contains("level=warn"))
        .count()
}

#[test]
fn the_second_start_compiles_nothing() -> Result<()> {
    let state = tempfile::tempdir()?;
    works(&exporter(state.path()).start()?)?;
    let [entry] = &entries(state.path())?[..] else {
        anyhow::bail!("not one entry");
    };
    let written = fs::metadata(entry)?.len();
    works(&exporter(state.path()).start()?)?;
    // Compiled again it would be another file under the same name.
    let (code, inode) = (fs::read(entry)?, inode(entry)?);
    works(&exporter(state.path()).start()?)?;
    ensure!(inode == self::inode(entry)?);
    ensure!(code.len() as u64 == written);
    Ok(())
}

fn inode(path: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(path)?.ino())
}

#[test]
fn a_damaged_entry_costs_a_line_in_the_log() -> Result<()> {
    let state = tempfile::tempdir()?;
    works(&exporter(state.path()).start()?)?;
    let entry = entries(state.path())?.pop().context("no entry")?;
    let whole = fs::read(&entry)?;
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    for damaged in [&damaged[..], &whole[..whole.len() / 2], b"", b"nonsense"] {
        fs::write(&entry, damaged)?;
        let host = exporter(state.path()).start()?;
        works(&host)?;
        ensure!(warnings(&host) == 1, "{}", host.log().join("\n"));
        ensure!(fs::read(&entry)? == whole, "it is not written anew");
    }
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_used_costs_a_line_in_the_log() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let state = tempfile::tempdir()?;
    let file = state.path().join("file");
    fs::write(&file, b"")?;
    let open = state.path().join("open");
    fs::create_dir_all(open.join("code"))?;
    fs::set_permissions(open.join("code"), fs::Permissions::from_mode(0o777))?;
    for folder in [file.as_path(), &open, Path::new("/proc/nowhere")] {
        let host = exporter(folder).start()?;
        works(&host)?;
        ensure!(warnings(&host) == 1, "{}", host.log().join("\n"));
    }
    ensure!(fs::read_dir(open.join("code"))?.next().is_none());
    Ok(())
}

#[test]
fn killed_at_any_moment_it_leaves_a_folder_that_works() -> Result<()> {
    let state = tempfile::tempdir()?;
    let run = || {
        let mut command = Command::new(files::binary()?);
        command
            .current_dir(files::root())
            .env_clear()
            .args(["serve", "--config.file=deploy/demo.toml"])
            .args(["--web.listen-address=127.0.0.1:0", "--log.level=error"])
            .arg(format!("--state.directory={}", state.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok::<_, anyhow::Error>(command.spawn()?)
    };
    // Two that fill it side by side, killed a little later each time.
    for round in 0..8 {
        let mut both = [run()?, run()?];
        thread::sleep(Duration::from_millis(50 + 60 * round));
        for child in &mut both {
            child.kill()?;
            child.wait()?;
        }
    }
    let host = exporter(state.path()).start()?;
    works(&host)?;
    ensure!(warnings(&host) == 0, "{}", host.log().join("\n"));
    for entry in entries(state.path())? {
        let name = entry.display().to_string();
        ensure!(name.ends_with(".code"), "{name} was left");
    }
    Ok(())
}

/// A start can be called off; compiling does not outlive it.
#[test]
fn a_signal_during_the_start_ends_it_well() -> Result<()> {
    for wait in [20, 60, 120] {
        let mut command = Command::new(files::binary()?);
        command
            .current_dir(files::root())
            .env_clear()
            .args(["serve", "--config.file=deploy/demo.toml"])
            .arg("--web.listen-address=127.0.0.1:0");
        let mut process = meterbox_tests::Process::start(&mut command)?;
        // Once something is logged the signals are watched; before that they end it as any program.
        meterbox_tests::until(meterbox_tests::PATIENCE, || {
            ensure!(!process.lines().is_empty(), "nothing is logged");
            Ok(())
        })?;
        thread::sleep(Duration::from_millis(wait));
        process.signal(Signal::TERM)?;
        let status = process.wait(meterbox_tests::PATIENCE)?;
        ensure!(
            status.code() == Some(0),
            "{status}\n{}",
            process.lines().join("\n")
        );
    }
    Ok(())
}

/// The compiling process on its own: what it cannot compile it says, and it does not run on without its host.
#[test]
fn the_compiling_process_says_what_is_wrong() -> Result<()> {
    let mut child = Command::new(files::binary()?)
        // What the exporter appends: the layout, seconds, bytes of address space.
        .args(["compile", "wide", "60", "4294967296"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("no input")?
        .write_all(b"\0asm\x0d\0\x01\0\xff")?;
    let output = child.wait_with_output()?;
    ensure!(output.status.code() == Some(1), "{}", output.status);
    ensure!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr)?;
    ensure!(said.lines().count() == 1, "{said}");
    ensure!(!said.contains("for the exporter itself to start"), "{said}");
    Ok(())
}

/// With less address space than one memory reserves, and less than a compiling process may have: it bounds both.
#[test]
fn limited_address_space_is_enough() -> Result<()> {
    let state = tempfile::tempdir()?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 3000000; exec \"$@\"", "sh"])
        .arg(files::binary()?)
        .current_dir(files::root())
        .env_clear()
        .args(["serve", "--config.file=deploy/demo.toml"])
        .arg("--web.listen-address=127.0.0.1:0")
        .arg(format!("--state.directory={}", state.path().display()));
    let mut process = meterbox_tests::Process::start(&mut command)?;
    let client = meterbox_tests::Client::new(process.listening()?);
    let page = client.get("/metrics")?.text()?;
    let up = page.lines().filter(|line| {
        line.starts_with("meterbox_plugin_collect_success{") && line.ends_with(" 1")
    });
    ensure!(up.count() == 9, "{page}");
    Ok(())
}
