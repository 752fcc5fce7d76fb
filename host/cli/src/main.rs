//! The meterbox binary. Everything that it does is a call into the library `meterbox`.
//!
//! - `args`: the command line
//! - `commands`: one file per subcommand
//! - `logging`: where events go
//! - `exit`: what the exit codes mean

mod args;
mod commands;
mod exit;
mod logging;

use std::{
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
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
