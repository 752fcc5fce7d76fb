//! What the exit codes mean.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | stopped by SIGTERM or SIGINT, and every request was given its grace |
//! | 1 | everything else: a plugin that fails in `check` or `bench`, or cannot be pulled, an address that cannot be bound, a machine without a runtime |
//! | 2 | the command line was not understood |
//! | 3 | `lint` or `check` can read the page, and has advice (as promtool) |
//! | 78 | the config, or a plugin that it names, was refused (`EX_CONFIG`); starting again changes nothing |

use std::process::ExitCode;

use meterbox::{PluginError, config::ConfigError, front::WebConfigError};

use crate::commands::{config::Missing, lint::Advice};

const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
const ADVICE: u8 = 3;
const CONFIG: u8 = 78;

/// The exit code for a command that failed.
pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Advice>() {
        return ExitCode::from(ADVICE);
    }
    // A host fails to start for what the config names, and nothing else but a pull.
    let is_config = error.is::<ConfigError>()
        || error.is::<WebConfigError>()
        || error.downcast_ref().is_some_and(|error| !may_pass(error))
        || error.is::<Missing>();
    ExitCode::from(if is_config { CONFIG } else { FAILED })
}

/// A registry that is down now is worth another start.
fn may_pass(error: &meterbox::Error) -> bool {
    let meterbox::Error::Plugin {
        error: PluginError::Source(error),
        ..
    } = error
    else {
        return false;
    };
    error.may_pass()
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use meterbox::config::Config;

    use super::*;

    #[test]
    fn a_refused_config_has_its_own_code() {
        let refused = Config::load("no/such.toml");
        let error = refused.context("at start").expect_err("no such file");
        assert_eq!(code(&error), ExitCode::from(CONFIG));
        assert_eq!(code(&anyhow::anyhow!("other")), ExitCode::from(FAILED));
    }
}
