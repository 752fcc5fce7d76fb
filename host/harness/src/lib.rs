//! Tests of Meterbox plugins: a plugin in the real host, inside `cargo test`.
//!
//! The plugin is built to WebAssembly, loaded and sandboxed as `meterbox serve` does it, with the grants and the settings that
//! the test gives. Nothing happens by itself: the test says when there is a scrape or a tick.
//!
//! ```no_run
//! use meterbox_harness::{Error, Harness};
//!
//! // A file such as tests/collect.rs of the plugin's crate.
//! #[test]
//! fn counts_its_ticks() -> Result<(), Error> {
//!     let mut plugin = Harness::new().config("config = { step = \"5\" }").start()?;
//!     plugin.tick()?;
//!     let page = plugin.collect()?;
//!     assert_eq!(page.value("hellos_total", &[]), Some(5.0));
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! [`Harness::new`] builds the crate under test by `cargo build --release --target wasm32-unknown-unknown`, once for each
//! test program. `METERBOX_BUILD` is a command to run in place of `cargo build`; [`Harness::file`] takes a file that is there.

mod build;
mod error;
mod page;

use std::{env, path::PathBuf};

use meterbox::{config::Config, trial::Trial};
use meterbox_metrics::encode::{Escaping, Format};
use tokio::runtime::{Builder, Runtime};

pub use self::{
    error::Error,
    page::{Page, Sample},
};

/// What the plugin is called in the host.
const NAME: &str = "plugin";

/// A plugin that is to be started.
#[derive(Clone, Debug)]
pub struct Harness {
    /// `None`: the crate under test.
    file: Option<PathBuf>,
    config: String,
    meminfo: Option<String>,
}

/// A plugin that runs.
#[derive(Debug)]
pub struct Running {
    runtime: Runtime,
    trial: Trial,
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// The plugin that is the crate under test, with default settings.
    pub fn new() -> Self {
        Self {
            file: None,
            config: String::new(),
            meminfo: None,
        }
    }

    /// The plugin in this file. A relative path begins at the folder of the crate under test.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            file: Some(path.into()),
            ..Self::new()
        }
    }

    /// Keys of the plugin's table in the config, as an operator would write them under `[plugins.NAME]`, such as
    /// `config = { key = "value" }`, `grants = { meminfo = true }` or `limits = { memory = "8MiB" }`. Called again it adds
    /// lines.
    #[must_use]
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// The memory figures that collects see, as text of `/proc/meminfo`, in place of the machine's. The plugin needs the
    /// grant all the same.
    #[must_use]
    pub fn meminfo(mut self, text: &str) -> Self {
        self.meminfo = Some(text.to_owned());
        self
    }

    /// Builds the plugin if need be, loads it and initialises it.
    ///
    /// # Errors
    ///
    /// [`Error::Build`], or why the host refuses it.
    pub fn start(self) -> Result<Running, Error> {
        let file = match self.file {
            Some(file) => file,
            None => build::plugin()?,
        };
        let folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        // A string of JSON is one of TOML.
        let source = serde_json::Value::from(file.to_string_lossy());
        let text = format!("[plugins.{NAME}]\nsource = {source}\n{}", self.config);
        let config = Config::parse(&text, "the plugin's table in the test", folder.as_ref());
        let config = config.map_err(meterbox::Error::from)?;
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(Error::Runtime)?;
        let Some(plugin) = config.plugins.get(NAME) else {
            return Err(Error::Config);
        };
        let limits = config.limits_of(plugin);
        let trial = runtime.block_on(Trial::start(NAME, plugin, limits, None));
        let mut trial = trial?;
        if let Some(text) = self.meminfo {
            trial.set_meminfo(&text).map_err(Error::Meminfo)?;
        }
        Ok(Running { runtime, trial })
    }
}

impl Running {
    /// One scrape: what is on the page after it.
    ///
    /// # Errors
    ///
    /// The collect failed, or the host refused some of what it returned.
    pub fn collect(&mut self) -> Result<Page, Error> {
        let collected = self.runtime.block_on(self.trial.collect());
        if let Some(fault) = collected.fault {
            return Err(Error::Fault(fault));
        }
        if !collected.refused.is_empty() {
            return Err(Error::Refused(collected.refused));
        }
        Page::parse(self.page())
    }

    /// One tick of a plugin with a schedule.
    ///
    /// # Errors
    ///
    /// The tick failed, or the plugin has no schedule.
    pub fn tick(&mut self) -> Result<(), Error> {
        if self.trial.interval().is_none() {
            return Err(Error::NoSchedule);
        }
        self.runtime.block_on(self.trial.tick())?;
        Ok(())
    }

    /// The page as it is now, in text format 0.0.4, without the host's own families.
    pub fn page(&self) -> String {
        let page = self.trial.page();
        String::from_utf8_lossy(&page.to_bytes(Format::Text, Escaping::AllowUtf8)).into_owned()
    }

    /// The engine's view, for whoever wants times, limits or the like.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }
}
