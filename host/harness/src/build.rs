//! The crate under test, built to WebAssembly.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

use crate::Error;

/// A command to run in place of `cargo build`.
const COMMAND: &str = "METERBOX_BUILD";

const TARGET: &str = "wasm32-unknown-unknown";

/// The plugin's file, built once however many tests ask.
pub(crate) fn plugin() -> Result<PathBuf, Error> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).clone().map_err(Error::Build)
}

fn build() -> Result<PathBuf, String> {
    let folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let folder =
        folder.ok_or("no CARGO_MANIFEST_DIR: run the test by cargo, or use Harness::file")?;
    let mut command = match env::var_os(COMMAND) {
        // What follows a script is its name and its arguments.
        Some(script) => {
            let mut script = script;
            script.push(" \"$@\"");
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(script).arg(COMMAND);
            shell
        }
        None => {
            let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
            cargo.arg("build");
            cargo
        }
    };
    command
        .args(["--release", "--lib", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(&folder);
    let output = command.output();
    let output = output.map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the plugin cannot be built ({}):\n{}\nIf it is the target that is missing: `rustup target add {TARGET}`, \
             or set {COMMAND} to a command to run in place of `cargo build`",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        ));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let file = said.lines().find_map(|line| artifact(line, &folder));
    file.ok_or_else(|| {
        "cargo has built no .wasm file: does Cargo.toml say crate-type = [\"cdylib\"]?".to_owned()
    })
}

/// The `.wasm` file of the crate in this folder, if this line tells of it.
fn artifact(line: &str, folder: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let manifest = Path::new(message.get("manifest_path")?.as_str()?);
    let is_ours = manifest.parent()?.canonicalize().ok()? == folder.canonicalize().ok()?;
    let files = message.get("filenames")?.as_array()?.iter();
    let mut files = files.filter_map(|file| Some(PathBuf::from(file.as_str()?)));
    is_ours
        .then(|| {
            files.find(|file| {
                file.extension()
                    .is_some_and(|extension| extension == "wasm")
            })
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_artifact_is_that_of_the_crate() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = folder.join("Cargo.toml");
        let line = |manifest: &Path, files: &str| {
            let manifest = manifest.display();
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","filenames":{files}}}"#
            )
        };
        let both = r#"["/t/a.d","/t/a.wasm"]"#;
        assert_eq!(
            artifact(&line(&manifest, both), folder),
            Some("/t/a.wasm".into())
        );
        let other = folder.join("../Cargo.toml");
        assert_eq!(artifact(&line(&other, both), folder), None);
        assert_eq!(artifact(&line(&manifest, r#"["/t/a.rlib"]"#), folder), None);
        assert_eq!(
            artifact(r#"{"reason":"build-finished","success":true}"#, folder),
            None
        );
    }
}
