//! The command line of Meterbox. Everything that it does is a call into the library `meterbox`.
//!
//! A library, so that manual pages and completions can be made without being part of the binary.
//!
//! - `args`: the command line
//! - `commands`: one file per subcommand
//! - `logging`: where events go
//! - `exit`: what the exit codes mean
//! - `subject`, `report`, `proto_text`: what the tools for authors share

mod args;
mod commands;
mod exit;
mod logging;
mod proto_text;
mod report;
mod subject;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::CommandFactory;

/// The whole command line, for whoever writes pages about it.
pub fn command() -> clap::Command {
    args::Args::command()
}

/// Does what the process' arguments ask for, and tells what went wrong on standard error.
pub fn main() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    match commands::run(args) {
        Ok(code) => code,
        Err(error) => {
            // With no standard error left, the exit code has to say it alone.
            let _ = writeln!(io::stderr().lock(), "meterbox: {error:#}");
            exit::code(&error)
        }
    }
}
