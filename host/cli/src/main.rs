//! The meterbox binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    meterbox_cli::main()
}
