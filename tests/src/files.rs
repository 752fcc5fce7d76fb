//! Where things are.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
}

/// The binary under test: `METERBOX_BIN`, or what `make build` made.
pub fn binary() -> Result<PathBuf> {
    let path = match env::var_os("METERBOX_BIN") {
        Some(path) => path.into(),
        None => root().join("target/release/meterbox"),
    };
    ensure!(
        path.is_file(),
        "{} is missing; `make build` makes it",
        path.display()
    );
    Ok(path)
}

/// An example program of the library.
pub fn example(name: &str) -> Result<PathBuf> {
    let path = root().join("target/release/examples").join(name);
    ensure!(
        path.is_file(),
        "{} is missing; `make build` makes it",
        path.display()
    );
    Ok(path)
}

/// A plugin by name: `counter` is a demo, `test/labels` is one of the tests'.
pub fn plugin(name: &str) -> Result<PathBuf> {
    let path = root()
        .join("target/plugins")
        .join(name)
        .with_extension("wasm");
    ensure!(
        path.is_file(),
        "{} is missing; `make guests` makes it",
        path.display()
    );
    Ok(path)
}
