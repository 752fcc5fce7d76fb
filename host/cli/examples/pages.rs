//! Writes manual pages and shell completions into a folder, for packages: `pages DIR`.
//!
//! They are made from the command line itself, and not by the binary, which stays smaller by what makes them.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};
use clap_complete::Shell;

fn main() -> Result<()> {
    let folder: PathBuf = env::args_os().nth(1).context("usage: pages DIR")?.into();
    let folder = folder.as_path();
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;

    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut meterbox_cli::command(), "meterbox", folder)?;
    }
    // The subcommand `help` repeats what each page has.
    let command = meterbox_cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, folder)?;
    Ok(())
}
