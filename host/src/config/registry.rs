//! `[registries."HOST"]`: how a registry is reached, and what it is trusted with.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Value, error::Problem};

/// A registry. The default is one that anybody may pull from, over TLS, by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistryConfig {
    /// Whether plugins may be named by tags of it, which `meterbox lock` resolves. Default: false.
    pub tags: bool,
    /// Whether it speaks plain HTTP, which anybody on the way can read and change. Default: false.
    pub insecure: bool,
    /// Who pulls. Goes with `password`. Default: anybody.
    pub username: Option<String>,
    /// The user's password or token.
    pub password: Option<Value>,
    /// A file of certificates (PEM) of authorities that may speak for it, beside those that the machine trusts. In a config
    /// file it is relative to that file's folder. Default: none.
    pub ca_file: Option<PathBuf>,
}

impl RegistryConfig {
    pub(super) fn resolve(&mut self, base_dir: &Path) {
        if let Some(file) = &mut self.ca_file {
            *file = base_dir.join(&*file);
        }
        if let Some(password) = &mut self.password {
            password.resolve(base_dir);
        }
    }

    pub(super) fn find_problem(&self, host: &str) -> Result<(), Problem> {
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err(Problem::new(format!(
                "{host:?} is no registry; write its host, with the port if there is one, like \"ghcr.io\" or \"localhost:5000\""
            )));
        }
        match (&self.username, &self.password) {
            (Some(_), None) => Err(Problem::new(
                "there is no password; write password = { file = \"/run/secrets/x\" }",
            )
            .at("username")),
            (None, Some(_)) => Err(Problem::new("there is no username; write one").at("password")),
            _ if self.insecure && self.ca_file.is_some() => Err(Problem::new(
                "plain HTTP has no certificates; remove one of insecure and ca-file",
            )
            .at("ca-file")),
            _ => Ok(()),
        }
    }
}
