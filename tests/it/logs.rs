//! What a plugin logs: levels of its own, and no secrets.

use std::{fs, net::TcpListener, path::PathBuf};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, Meterbox, PATIENCE, Process, until};
use tempfile::TempDir;

use crate::hostile::assemble;

/// Says a word at each level in every collect.
const SPEAKS: &str = r#"
(module
  (import "meterbox:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 128) "trifling")
  (data (i32.const 144) "ordinary")
  (data (i32.const 160) "doubtful")
  (data (i32.const 176) "dreadful")
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (call $write (i32.const 0) (i32.const 128) (i32.const 8))
    (call $write (i32.const 1) (i32.const 144) (i32.const 8))
    (call $write (i32.const 2) (i32.const 160) (i32.const 8))
    (call $write (i32.const 3) (i32.const 176) (i32.const 8))
    (i32.const 0)))
"#;

/// The words, from the least to the most.
const WORDS: [(&str, &str); 4] = [
    ("debug", "trifling"),
    ("info", "ordinary"),
    ("warn", "doubtful"),
    ("error", "dreadful"),
];

/// A folder with the guest, and a config for it.
struct Setup(TempDir);

impl Setup {
    fn new() -> Result<Self> {
        let setup = Self(tempfile::tempdir()?);
        fs::write(
            setup.0.path().join("speaks.wasm"),
            assemble::assemble(SPEAKS)?,
        )?;
        Ok(setup)
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("m.toml")
    }

    /// Plugins, each a name and further keys.
    fn write(&self, plugins: &[(&str, &str)]) -> Result<()> {
        let tables = plugins
            .iter()
            .map(|(name, keys)| format!("[plugins.{name}]\nsource = 'speaks.wasm'\n{keys}\n"));
        fs::write(self.config(), tables.collect::<String>()).context("no config")
    }

    /// Starts it on a port that was free a moment ago: where only warnings are logged, the log does not tell another.
    fn start(&self, args: &[&str]) -> Result<Exporter> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut meterbox = Meterbox::new()
            .arg(format!("--config.file={}", self.config().display()))
            .arg("--web.enable-lifecycle")
            .listen(address);
        for arg in args {
            meterbox = meterbox.arg(*arg);
        }
        let (process, _folder) = meterbox.begin()?;
        let client = Client::new(address);
        until(PATIENCE, || client.get("/-/ready"))?;
        Ok(Exporter {
            process,
            client,
            _folder,
        })
    }
}

/// One that may say nothing.
struct Exporter {
    process: Process,
    client: Client,
    _folder: TempDir,
}

impl Exporter {
    /// Lines of the log with this word of this plugin.
    fn said(&self, plugin: &str, word: &str) -> Vec<String> {
        let lines = self.process.lines().into_iter();
        let of_plugin = format!("plugin={plugin}");
        let is_it = |line: &String| line.contains(word) && has(line, &of_plugin);
        lines.filter(is_it).collect()
    }

    /// The levels at which a plugin has spoken, after a collect of which the last word is there.
    fn levels(&self, plugin: &str) -> Result<Vec<&'static str>> {
        let before = self.said(plugin, "dreadful").len();
        ensure!(self.client.get("/metrics")?.status == 200);
        until(PATIENCE, || {
            let now = self.said(plugin, "dreadful").len();
            ensure!(now > before, "it says nothing: {:#?}", self.process.lines());
            Ok(())
        })?;
        let mut levels = Vec::new();
        for (level, word) in WORDS {
            let lines = self.said(plugin, word);
            for line in &lines {
                ensure!(
                    has(line, &format!("level={level}")) && has(line, "target=meterbox::plugin"),
                    "{line}"
                );
            }
            levels.extend((!lines.is_empty()).then_some(level));
        }
        Ok(levels)
    }

    fn reload(&self) -> Result<(u16, String)> {
        let answer = self.client.request("POST", "/-/reload", &[])?;
        Ok((answer.status, answer.text()?))
    }
}

/// Whether a line of logfmt has this pair.
fn has(line: &str, pair: &str) -> bool {
    line.split_whitespace().any(|each| each == pair)
}

#[test]
fn a_plugin_has_a_level_of_its_own() -> Result<()> {
    let setup = Setup::new()?;
    setup.write(&[
        ("plain", ""),
        ("chatty", "log-level = 'debug'"),
        ("quiet", "log-level = 'error'"),
    ])?;
    for (level, plain) in [
        ("debug", &["debug", "info", "warn", "error"][..]),
        ("info", &["info", "warn", "error"]),
        ("error", &["error"]),
    ] {
        let exporter = setup.start(&[&format!("--log.level={level}")])?;
        assert_eq!(exporter.levels("plain")?, plain, "{level}");
        let all = ["debug", "info", "warn", "error"];
        assert_eq!(exporter.levels("chatty")?, all, "{level}");
        assert_eq!(exporter.levels("quiet")?, ["error"], "{level}");
    }
    Ok(())
}

#[test]
fn a_reload_takes_the_level() -> Result<()> {
    let setup = Setup::new()?;
    setup.write(&[("speaks", "")])?;
    let exporter = setup.start(&["--log.level=warn"])?;
    assert_eq!(exporter.levels("speaks")?, ["warn", "error"]);
    setup.write(&[("speaks", "log-level = 'debug'")])?;
    assert_eq!(exporter.reload()?.0, 200);
    let all = ["debug", "info", "warn", "error"];
    assert_eq!(exporter.levels("speaks")?, all);
    setup.write(&[("speaks", "log-level = 'loud'")])?;
    let (status, why) = exporter.reload()?;
    ensure!(
        status == 500 && why.contains("plugins.speaks.log-level"),
        "{status}: {why}"
    );
    Ok(())
}

#[test]
fn json_lines_name_the_plugin() -> Result<()> {
    let setup = Setup::new()?;
    setup.write(&[("speaks", "log-level = 'debug'")])?;
    let exporter = setup.start(&["--log.level=info", "--log.format=json"])?;
    exporter.client.get("/metrics")?;
    let log = until(PATIENCE, || {
        let log = exporter.process.lines();
        ensure!(log.iter().any(|line| line.contains("dreadful")), "{log:#?}");
        Ok(log)
    })?;
    let mut found = 0;
    for line in &log {
        let event: serde_json::Value = serde_json::from_str(line).context(line.clone())?;
        let Some((level, _)) = WORDS.iter().find(|(_, word)| event["message"] == *word) else {
            continue;
        };
        assert_eq!(event["level"], level.to_uppercase(), "{line}");
        assert_eq!(event["plugin"], "speaks", "{line}");
        assert_eq!(event["target"], "meterbox::plugin", "{line}");
        found += 1;
    }
    ensure!(found >= 4, "{log:#?}");
    Ok(())
}

/// What it prints by mistake, and what it returns as an error, is in the log and on its page without its secrets.
#[test]
fn secrets_are_not_logged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    fs::write(&file, "hunter2-hunter2\n")?;
    let attempts = [
        "print my:hunter2-hunter2\\n",
        "eprint hunter2-hunter2hunter2-hunter2\\n",
    ]
    .join("\n");
    let keys = format!(
        "config = {{ try = {attempts:?} }}\n\
         [plugins.tries.grants]\nenv = {{ TOKEN = {{ file = {file:?} }} }}"
    );
    let host = Meterbox::with("tries", "test/grants", &keys).start()?;
    host.scrape()?;
    host.logged(&["my:[secret]", "plugin=tries"])?;
    let log = host.log().join("\n");
    ensure!(!log.contains("hunter2"), "{log}");
    for path in ["/plugins/tries", "/api/v1/plugins/tries"] {
        let page = host.get(path)?.text()?;
        ensure!(page.contains("my:[secret]"), "{path}: {page}");
        ensure!(!page.contains("hunter2"), "{path}: {page}");
    }
    Ok(())
}
