//! `[signatures]`: whose plugins may run.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::Problem;

/// What is asked of plugins' signatures. The default asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignaturesConfig {
    /// What becomes of a plugin that none of the keys has signed. Default: off.
    pub policy: SignaturePolicy,
    /// Files of public keys (PEM, `PUBLIC KEY`): Ed25519, or ECDSA on P-256 as cosign makes them. One of them has to have
    /// signed. In a config file they are relative to that file's folder. Default: none.
    pub keys: Vec<PathBuf>,
}

/// What becomes of a plugin that none of the keys has signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignaturePolicy {
    /// Nobody looks.
    #[default]
    Off,
    /// It runs, with a line in the log.
    Warn,
    /// It is refused.
    Require,
}

impl SignaturesConfig {
    pub(super) fn resolve(&mut self, base_dir: &Path) {
        for key in &mut self.keys {
            *key = base_dir.join(&*key);
        }
    }

    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        if self.policy != SignaturePolicy::Off && self.keys.is_empty() {
            let problem = "there is no key to check with; write the path of a public key (PEM)";
            return Err(Problem::new(problem).at("keys"));
        }
        Ok(())
    }
}
