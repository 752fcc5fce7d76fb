//! Folders and environment variables.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::{PermissionsExt, symlink},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Page, TestHost};
use tempfile::TempDir;

use super::{denials, expect, trying, uses};

/// A folder to be granted, and secrets beside it.
fn folder() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let at = |path: &str| folder.path().join(path);
    fs::create_dir(at("granted"))?;
    fs::create_dir(at("granted/below"))?;
    fs::write(at("granted/file"), "content")?;
    fs::write(at("granted/below/file"), "deep")?;
    fs::write(at("secret"), "secret")?;
    symlink("file", at("granted/within"))?;
    symlink("../secret", at("granted/up"))?;
    symlink(at("secret"), at("granted/absolute"))?;
    symlink("..", at("granted/parent"))?;
    symlink("/proc/self/root", at("granted/root"))?;
    symlink("loop", at("granted/loop"))?;
    let made = Command::new("mkfifo").arg(at("granted/pipe")).status()?;
    ensure!(made.success(), "no pipe");
    Ok(folder)
}

#[test]
fn a_folder_is_read_and_not_left() -> Result<()> {
    let folder = folder()?;
    let granted = folder.path().join("granted");
    let absolute = format!("read /data {}/secret", folder.path().display());
    let cases = [
        ("read /data file", "content"),
        ("read /data below/file", "deep"),
        ("read /data below/../file", "content"),
        ("read /data within", "content"),
        ("read /data ../secret", "error"),
        ("read /data below/../../secret", "error"),
        ("read /data up", "error"),
        ("read /data absolute", "error"),
        ("read /data parent/secret", "error"),
        ("read /data root/etc/passwd", "error"),
        ("read /data loop", "error"),
        ("read /data /etc/passwd", "error"),
        (&absolute, "error"),
        // It would wait for a writer on a thread that nobody can stop.
        ("read /data pipe", "error: not-permitted"),
        ("read /other file", "error: no folder"),
        ("write /data file", "error"),
        ("write /data new", "error"),
    ];
    let attempts = cases.map(|(attempt, _)| attempt);
    let grants = format!("dirs = [{{ host = {granted:?}, guest = \"/data\" }}]");
    let host = trying(&attempts, &grants).start()?;
    expect(&host, &cases)?;
    let page = host.scrape()?;
    ensure!(
        uses(&page, "dirs") >= Some(4.0),
        "{:?}",
        uses(&page, "dirs")
    );
    ensure!(
        denials(&page, "dirs") >= Some(7.0),
        "{:?}",
        denials(&page, "dirs")
    );
    host.logged(&["denied", "grant=dirs", "../secret"])?;
    host.logged(&["denied", "grant=dirs", "to change", "write = true"])?;
    assert_eq!(fs::read_to_string(granted.join("file"))?, "content");
    ensure!(!granted.join("new").exists(), "it was made");
    Ok(())
}

#[test]
fn a_folder_is_written_if_that_is_granted() -> Result<()> {
    let folder = folder()?;
    let granted = folder.path().join("granted");
    let cases = [
        ("write /data new", "written"),
        ("write /data ../new", "error"),
        ("write /data up", "error"),
    ];
    let grants = format!("dirs = [{{ host = {granted:?}, guest = \"/data\", write = true }}]");
    let host = trying(&cases.map(|(attempt, _)| attempt), &grants).start()?;
    expect(&host, &cases)?;
    assert_eq!(fs::read_to_string(granted.join("new"))?, "written");
    assert_eq!(fs::read_to_string(folder.path().join("secret"))?, "secret");
    ensure!(!folder.path().join("new").exists(), "it was made outside");
    Ok(())
}

/// The magic links of /proc lead out of it.
#[cfg(target_os = "linux")]
#[test]
fn proc_is_not_left_by_its_own_links() -> Result<()> {
    let cases = [
        ("read /proc self/root/etc/passwd", "error"),
        ("read /proc self/cwd/Cargo.toml", "error"),
        ("read /proc 1/root/etc/passwd", "error"),
    ];
    let host = trying(&cases.map(|(attempt, _)| attempt), "dirs = [\"/proc\"]").start()?;
    expect(&host, &cases)?;
    Ok(())
}

#[test]
fn a_folder_that_is_not_there_is_told_at_the_start() -> Result<()> {
    let refusal = trying(&[], "dirs = [\"/nowhere/at/all\"]").refused()?;
    refusal.expect(78, &["tries", "grants.dirs", "/nowhere/at/all"])
}

#[test]
fn the_environment_is_what_was_granted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    fs::write(&file, "from a file\n")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let cases = [
        ("env WORD", "literal"),
        ("env TOKEN", "from a file"),
        ("env PATH", "error: not set"),
    ];
    let grants = format!("env = {{ WORD = \"literal\", TOKEN = {{ file = {file:?} }} }}");
    let host = trying(&cases.map(|(attempt, _)| attempt), &grants).start()?;
    let page = expect(&host, &cases)?;
    ensure!(uses(&page, "env").is_some(), "not counted");
    Ok(())
}

#[test]
fn a_secret_that_is_missing_is_named_and_others_are_not_shown() -> Result<()> {
    let keys = "[plugins.tries.config]\nothers = \"s3cret\"\ntoken = { env = \"NOT_SET_AT_ALL\" }";
    let refusal = Meterbox::with("tries", "test/grants", keys).refused()?;
    ensure!(!refusal.output.contains("s3cret"), "{}", refusal.output);
    refusal.expect(78, &["tries", "config.token", "NOT_SET_AT_ALL"])
}

/// Whoever opens a file with a write lease waits for its holder, for as long as `/proc/sys/fs/lease-break-time` says.
const HOLDS_A_LEASE: &str = "
import fcntl, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1], 'r+')
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()
";

/// As on a network mount whose server is gone.
#[test]
fn files_that_hang_cost_their_plugin_alone() -> Result<()> {
    let folder = folder()?;
    let granted = folder.path().join("granted");
    let mut holder = Command::new("python3")
        .args(["-c", HOLDS_A_LEASE])
        .arg(granted.join("file"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("no python3")?;
    let mut held = String::new();
    BufReader::new(holder.stdout.take().context("no output")?).read_line(&mut held)?;
    assert_eq!(held, "held\n");

    let limits = "timeout = \"100ms\"\nstart-timeout = \"1s\"\nrestart-pause-max = \"10ms\"\nquarantine-after = 1000";
    let grants = format!("dirs = [{{ host = {granted:?}, guest = \"/data\" }}]");
    let other = "config = { try = \"read /data below/file\" }\nprefix = \"other_\"";
    let host = trying(&["read /data file"], &grants)
        .config(&format!("\n[plugins.tries.limits]\n{limits}\n"))
        .and(
            "other",
            "test/grants",
            &format!("{other}\n[plugins.other.grants]\n{grants}"),
        )
        .start()?;
    let mut threads = 0;
    for lost in 1..=12 {
        host.scrape_until(|page| {
            assert_eq!(outcome_of("other", page)?, "deep");
            let labels = [("plugin", "tries"), ("kind", "deadline")];
            let faults = page.number("meterbox_plugin_faults_total", &labels)?;
            ensure!(faults >= f64::from(lost), "{faults} faults");
            Ok(())
        })?;
        threads = threads.max(waiting(&host)?);
    }
    // Of each plugin eight that wait, and one that does not.
    ensure!((3..=18).contains(&threads), "{threads} threads");
    host.logged(&["plugin=tries", "do not open in time"])?;

    drop(holder.stdin.take());
    holder.wait()?;
    host.scrape_until(|page| {
        ensure!(outcome_of("tries", page)? == "content");
        Ok(())
    })
}

/// What the only attempt of a plugin came to.
fn outcome_of<'a>(plugin: &str, page: &'a Page) -> Result<&'a str> {
    let family = if plugin == "other" {
        "other_attempt"
    } else {
        "attempt"
    };
    let mut samples = page.family(family)?.samples.iter();
    let sample = samples
        .next()
        .with_context(|| format!("{plugin} has not tried"))?;
    Ok(sample.label("outcome"))
}

/// How many threads there are for files.
fn waiting(host: &TestHost) -> Result<usize> {
    let mut count = 0;
    for task in fs::read_dir(host.proc("task"))? {
        // It may be over.
        let name = fs::read_to_string(task?.path().join("comm")).unwrap_or_default();
        count += usize::from(name.trim() == "meterbox-files");
    }
    Ok(count)
}
