//! The command line. Long names carry dots, as those of node_exporter do.

use std::{
    env::consts::{ARCH, OS},
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::{commands, exit};

/// A Prometheus exporter whose collectors are sandboxed WebAssembly plugins.
#[derive(Debug, Parser)]
#[command(name = "meterbox", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<commands::serve::Args>),
    Config(commands::config::Args),
    New(commands::new::Args),
    Inspect(commands::inspect::Args),
    Check(commands::check::Args),
    Bench(commands::bench::Args),
    Lint(commands::lint::Args),
    Lock(commands::lock::Args),
    Pull(commands::pull::Args),
    Push(commands::push::Args),
    /// What `serve` starts for itself, to compile a plugin in
    #[command(hide = true)]
    Compile {
        #[arg(hide = true)]
        arguments: Vec<std::ffi::OsString>,
    },
}

/// How much is logged, and in which form; always on standard error.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// Log events of this level and above
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        value_enum,
        default_value = "info"
    )]
    pub(crate) level: Level,
    /// Form of the log; one line per event
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        value_enum,
        default_value = "logfmt"
    )]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Logfmt,
    Json,
}

/// The parsed command line, or how to leave: help and version are no failures.
pub(crate) fn parse() -> Result<Args, ExitCode> {
    Args::try_parse().map_err(|error| {
        let printed = match error.kind() {
            ErrorKind::DisplayVersion => writeln!(io::stdout().lock(), "{}", version()),
            _ => error.print(),
        };
        if error.use_stderr() {
            ExitCode::from(exit::USAGE)
        } else if printed.is_err() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    })
}

/// In the words of Prometheus exporters. The build sets `METERBOX_REVISION`, for example to the commit.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let revision = option_env!("METERBOX_REVISION").unwrap_or("unknown");
    format!("meterbox, version {version} (revision: {revision}, platform: {OS}/{ARCH})")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_version_is_in_the_usual_words() {
        assert!(version().starts_with("meterbox, version 0.1.0 (revision: "));
    }
}
