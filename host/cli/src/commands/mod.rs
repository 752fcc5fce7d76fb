//! One file per subcommand.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod inspect;
pub(crate) mod lint;
pub(crate) mod lock;
pub(crate) mod new;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod serve;

use std::process::ExitCode;

use crate::args::{Args, Command};

/// Runs what the command line asks for, to its end.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Bench(args) => bench::run(&args)?,
        Command::Check(args) => check::run(&args)?,
        Command::Config(args) => config::run(&args)?,
        Command::Inspect(args) => inspect::run(&args)?,
        Command::Lint(args) => lint::run(&args)?,
        Command::Lock(args) => lock::run(&args)?,
        Command::New(args) => new::run(&args)?,
        Command::Pull(args) => pull::run(&args)?,
        Command::Push(args) => push::run(&args)?,
        Command::Serve(args) => serve::run(&args)?,
        Command::Compile { arguments } => return Ok(meterbox::compile::worker(arguments)),
    }
    Ok(ExitCode::SUCCESS)
}
