//! What a plugin was granted, held against what it does. Every use and every denial is counted, and a denial says what
//! would allow it.

mod address;
mod disk;
mod dns;
mod files;
mod http;
mod names;
mod sockets;
#[cfg(test)]
mod tests;
mod wants;

use std::{
    collections::HashSet,
    fmt::{self, Display},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use tokio::sync::Semaphore;
use wasmtime::component::Linker;

pub(crate) use self::disk::Disk;
use self::dns::Lookups;
pub(crate) use self::http::Requests;
pub use self::wants::{GrantStatus, Wanted};
use crate::{
    config::{Grant, Grants, Secret},
    engine::State,
    imports::log::LogQuota,
    limits::Limits,
};

/// Denials that are each logged once; others are logged as often as the quota of the plugin's log allows.
const LOGGED_ONCE: usize = 64;

/// What one plugin may use, over all its instances.
#[derive(Debug)]
pub(crate) struct Granted {
    plugin: String,
    config: Grants,
    env: Vec<(String, Secret)>,
    /// Present if it is granted folders.
    disk: Option<Disk>,
    lookups: Lookups,
    requests: Arc<Semaphore>,
    log: Arc<LogQuota>,
    logged: Mutex<HashSet<String>>,
    used: [AtomicU64; Grant::ALL.len()],
    denied: [AtomicU64; Grant::ALL.len()],
}

/// Puts what is checked and counted here in the place of wasmtime's own.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    sockets::link(linker)?;
    names::link(linker)?;
    files::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Granted {
    /// Looks up the values that the config refers to. An error is the end of "plugin NAME: ...".
    pub(crate) fn new(
        plugin: &str,
        config: &Grants,
        limits: &Limits,
        log: Arc<LogQuota>,
    ) -> Result<Self, String> {
        let values = config.env.iter().map(|(name, value)| {
            let value = value.look_up();
            let value = value.map_err(|why| format!("grants.env.{name}: {why}"))?;
            Ok((name.clone(), value))
        });
        let disk = match config.dirs.is_empty() {
            true => None,
            false => Some(Disk::new().map_err(|error| {
                format!("grants.dirs: no threads to wait for files on: {error}; raise the limit of the system, or remove the grant")
            })?),
        };
        Ok(Self {
            disk,
            plugin: plugin.to_owned(),
            env: values.collect::<Result<_, String>>()?,
            config: config.clone(),
            lookups: Lookups::system(),
            requests: Arc::new(Semaphore::new(limits.outgoing_requests)),
            log,
            logged: Mutex::default(),
            used: Default::default(),
            denied: Default::default(),
        })
    }

    /// Where it waits for files.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    #[cfg(test)]
    fn with_resolver(mut self, resolver: Box<dyn dns::Resolver>) -> Self {
        self.lookups = Lookups::new(resolver);
        self
    }

    /// Values of its environment that are kept elsewhere than in the config.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let values = self.env.iter().filter(|(name, _)| {
            let value = self.config.env.get(name);
            value.is_some_and(|value| value.is_kept_elsewhere())
        });
        values.map(|(_, value)| value)
    }

    /// Whether there is anything of it.
    pub(crate) fn has(&self, grant: Grant) -> bool {
        self.config.has(grant)
    }

    pub(crate) fn uses(&self, grant: Grant) -> u64 {
        self.used[grant as usize].load(Relaxed)
    }

    pub(crate) fn denials(&self, grant: Grant) -> u64 {
        self.denied[grant as usize].load(Relaxed)
    }

    pub(crate) fn used(&self, grant: Grant) {
        self.used[grant as usize].fetch_add(1, Relaxed);
    }

    /// Denies what needs an item more in the list of a grant.
    fn deny_one(&self, grant: Grant, what: &dyn Display, item: &str) {
        let (plugin, key) = (&self.plugin, grant.key());
        let remedy = if self.has(grant) {
            format!("add {item:?} to plugins.{plugin}.grants.{key}")
        } else {
            format!("write {key} = [{item:?}] under [plugins.{plugin}.grants]")
        };
        self.deny(grant, what, &remedy);
    }

    /// Counts a denial, and logs it.
    pub(crate) fn deny(&self, grant: Grant, what: &dyn Display, remedy: &str) {
        if let Some(what) = self.note(grant, what, remedy) {
            let (plugin, grant) = (self.plugin.as_str(), grant.key());
            tracing::warn!(
                plugin,
                grant,
                what,
                remedy,
                "the plugin is denied what it was not granted"
            );
        }
    }

    /// The same for what programs ask for without need.
    fn deny_quietly(&self, grant: Grant, what: &dyn Display, remedy: &str) {
        if let Some(what) = self.note(grant, what, remedy) {
            let (plugin, grant) = (self.plugin.as_str(), grant.key());
            tracing::info!(
                plugin,
                grant,
                what,
                remedy,
                "the plugin is denied what it was not granted"
            );
        }
    }

    /// Counts a denial; what to log of it, if it is to be logged.
    fn note(&self, grant: Grant, what: &dyn Display, remedy: &str) -> Option<String> {
        self.denied[grant as usize].fetch_add(1, Relaxed);
        let what = Shortened(what).to_string();
        let entry = format!("{} {what}", grant.key());
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.contains(&entry) {
            return None;
        }
        if logged.len() < LOGGED_ONCE {
            logged.insert(entry);
        }
        let taken = self.log.take(what.len() + remedy.len(), Instant::now());
        taken.is_ok().then_some(what)
    }
}

/// What comes from a plugin may be of any length.
struct Shortened<'a>(&'a dyn Display);

impl Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 300;
        let text = self.0.to_string();
        match text.char_indices().nth(MOST) {
            Some((end, _)) => write!(f, "{}...", &text[..end]),
            None => f.write_str(&text),
        }
    }
}
