//! `[plugins.NAME.grants]`: what a plugin may use beyond its own memory. docs/grants.md has the grammar.

mod dir;
mod either;
pub(crate) mod http;
pub(crate) mod target;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, de::Deserializer};

pub use self::{
    dir::DirGrant,
    http::HttpGrant,
    target::{Hosts, Ports, Target},
};
use super::{error::Problem, value::Value};

/// What a plugin may use. The default grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Read the memory facts of the machine (`/proc/meminfo`). Default: false.
    pub meminfo: bool,
    /// Folders. Default: none.
    pub dirs: Vec<DirGrant>,
    /// Environment variables: the plugin's whole environment, by name. Default: none.
    pub env: BTreeMap<String, Value>,
    /// TCP connections that it may open; the lookup of a name here is granted with it. Default: none.
    pub tcp: Vec<Target>,
    /// UDP datagrams that it may send, and receive from the same; the lookup of a name here is granted with it.
    /// Default: none.
    pub udp: Vec<Target>,
    /// Names that it may look up, beside those of the others. Default: none.
    #[serde(deserialize_with = "names")]
    pub dns: Vec<String>,
    /// HTTP requests. Default: none.
    pub http: Vec<HttpGrant>,
}

/// One of the [`Grants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Grant {
    /// Memory facts of the machine.
    Meminfo,
    /// Folders.
    Dirs,
    /// Environment variables.
    Env,
    /// TCP connections.
    Tcp,
    /// UDP datagrams.
    Udp,
    /// Lookups of names.
    Dns,
    /// HTTP requests.
    Http,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 7] = [
        Self::Meminfo,
        Self::Dirs,
        Self::Env,
        Self::Tcp,
        Self::Udp,
        Self::Dns,
        Self::Http,
    ];

    /// The key in the config, which is also the value of the label `grant`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Meminfo => "meminfo",
            Self::Dirs => "dirs",
            Self::Env => "env",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Dns => "dns",
            Self::Http => "http",
        }
    }
}

impl Grants {
    /// Whether anything of it is granted.
    pub fn has(&self, grant: Grant) -> bool {
        match grant {
            Grant::Meminfo => self.meminfo,
            Grant::Dirs => !self.dirs.is_empty(),
            Grant::Env => !self.env.is_empty(),
            Grant::Tcp => !self.tcp.is_empty(),
            Grant::Udp => !self.udp.is_empty(),
            Grant::Dns => !self.dns.is_empty(),
            Grant::Http => !self.http.is_empty(),
        }
    }

    pub(super) fn resolve(&mut self, base_dir: &Path) {
        for dir in &mut self.dirs {
            dir.resolve(base_dir);
        }
        for value in self.env.values_mut() {
            value.resolve(base_dir);
        }
    }

    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        let bad = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        if let Some(name) = self.env.keys().find(bad) {
            let problem = format!("{name:?} cannot name an environment variable");
            return Err(Problem::new(problem).at(name).at("env"));
        }
        for (place, dir) in self.dirs.iter().enumerate() {
            if self.dirs[..place]
                .iter()
                .any(|other| other.guest == dir.guest)
            {
                let problem = format!("two folders are {:?} to the plugin; rename one", dir.guest);
                return Err(Problem::new(problem).at("dirs"));
            }
        }
        Ok(())
    }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let names = names.iter().map(|name| target::name(name));
    names
        .collect::<Result<_, _>>()
        .map_err(serde::de::Error::custom)
}
