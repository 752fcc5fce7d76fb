//! How a test says what to run.

use std::{
    ffi::OsString, fmt::Write as _, fs, net::SocketAddr, path::PathBuf, process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{Client, PATIENCE, Process, TestHost, files};

/// A `meterbox serve` to be.
#[derive(Debug, Default)]
pub struct Meterbox {
    config: Config,
    listen: Option<SocketAddr>,
    args: Vec<String>,
    env: Vec<(String, OsString)>,
}

#[derive(Debug, Default)]
enum Config {
    #[default]
    None,
    Text(String),
    File(PathBuf),
}

/// A start that was refused.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub code: i32,
    /// Everything that was printed.
    pub output: String,
    /// The config file that was given, if any.
    pub config: PathBuf,
}

impl Meterbox {
    /// Nothing but the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every demo plugin, as `make run` serves them.
    pub fn demo() -> Self {
        Self::of_file("deploy/demo.toml")
    }

    /// With a config file, relative to the root of the repository.
    pub fn of_file(path: impl Into<PathBuf>) -> Self {
        Self {
            config: Config::File(path.into()),
            ..Self::default()
        }
    }

    /// One plugin: a name, a file (see [`files::plugin`]) and further keys as TOML lines.
    pub fn with(name: &str, file: &str, keys: &str) -> Self {
        Self::new().and(name, file, keys)
    }

    /// One more plugin.
    pub fn and(self, name: &str, file: &str, keys: &str) -> Self {
        let source = files::root()
            .join("target/plugins")
            .join(file)
            .with_extension("wasm");
        self.config(&format!("[plugins.{name}]\nsource = {source:?}\n{keys}\n"))
    }

    /// More lines of config. `PLUGINS` stands for the directory of the demo plugins.
    pub fn config(mut self, toml: &str) -> Self {
        let mut text = match self.config {
            Config::Text(text) => text,
            _ => String::new(),
        };
        let plugins = files::root().join("target/plugins");
        text.push_str(&toml.replace("PLUGINS", &plugins.to_string_lossy()));
        self.config = Config::Text(text);
        self
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A variable of its environment, which is empty but for these.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// An address of the test's choice instead of a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Result<TestHost> {
        self.start_within(PATIENCE)
    }

    /// Starts it and waits until it listens, for plugins that take long to be compiled.
    pub fn start_within(self, patience: Duration) -> Result<TestHost> {
        let (mut process, dir, _) = self.launch()?;
        let address = process.listening_within(patience)?;
        Ok(TestHost {
            process,
            address,
            client: Client::new(address),
            _dir: dir,
        })
    }

    /// Starts it and waits until it has given up.
    pub fn refused(self) -> Result<Refusal> {
        let (mut process, _dir, config) = self.launch()?;
        let status = process.wait(PATIENCE)?;
        let output = process.lines().join("\n");
        let Some(code) = status.code() else {
            bail!("it died: {status}\n{output}")
        };
        Ok(Refusal {
            code,
            output,
            config,
        })
    }

    /// Starts it and does not wait: the process, and the directory of its config.
    pub fn begin(self) -> Result<(Process, TempDir)> {
        let (process, dir, _) = self.launch()?;
        Ok((process, dir))
    }

    fn launch(self) -> Result<(Process, TempDir, PathBuf)> {
        let dir = tempfile::tempdir()?;
        let mut command = Command::new(files::binary()?);
        command.current_dir(files::root()).env_clear().arg("serve");
        let file = match self.config {
            Config::None => PathBuf::new(),
            Config::File(file) => file,
            Config::Text(text) => {
                let file = dir.path().join("meterbox.toml");
                fs::write(&file, text)?;
                file
            }
        };
        if !file.as_os_str().is_empty() {
            command.arg("--config.file").arg(&file);
        }
        let listen = self
            .listen
            .map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        command
            .args(["--web.listen-address", &listen])
            .args(&self.args)
            .envs(self.env);
        Ok((Process::start(&mut command)?, dir, file))
    }
}

impl Refusal {
    /// Fails unless it ended with this code and one line of what it printed has all of the words.
    pub fn expect(&self, code: i32, words: &[&str]) -> Result<()> {
        let mut why = String::new();
        if self.code != code {
            write!(why, "exit code {}, not {code}; ", self.code).context("a string takes it")?;
        }
        if !self
            .output
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
        {
            write!(why, "no line has all of {words:?}; ").context("a string takes it")?;
        }
        if self.output.contains("panicked") {
            why.push_str("it panicked; ");
        }
        if !why.is_empty() {
            bail!("{why}it printed:\n{}", self.output);
        }
        Ok(())
    }
}
