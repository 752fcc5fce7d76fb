//! One file per subcommand.

pub(crate) mod lint;
pub(crate) mod serve;

use crate::args::{Args, Command};

/// Runs what the command line asks for, to its end.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Lint(args) => lint::run(&args),
        Command::Serve(args) => serve::run(&args),
    }
}
