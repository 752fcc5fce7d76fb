//! `meterbox inspect`, `check`, `bench` and `new`: what authors of plugins have.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Page, files, judges};
use serde_json::Value;

fn run(args: &[&str]) -> Result<Output> {
    let mut command = Command::new(files::binary()?);
    let command = command.current_dir(files::root()).args(args);
    Ok(command.args(["--log.level", "error"]).output()?)
}

/// What is printed, after a run that ends with this code.
fn printed(args: &[&str], code: i32) -> Result<(String, String)> {
    let output = run(args)?;
    let (out, err) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    ensure!(
        output.status.code() == Some(code),
        "{args:?}: {}\n{out}\n{err}",
        output.status
    );
    Ok((out, err))
}

fn json(args: &[&str], code: i32) -> Result<Value> {
    let (out, _) = printed(args, code)?;
    serde_json::from_str(&out).with_context(|| out)
}

fn plugin(name: &str) -> Result<String> {
    Ok(files::plugin(name)?.to_string_lossy().into_owned())
}

/// Where the flags stand for a table of a config.
fn config(table: &str) -> Result<(tempfile::TempDir, String)> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("meterbox.toml");
    fs::write(&file, table)?;
    let file = file.to_string_lossy().into_owned();
    Ok((dir, file))
}

/// The file never changes, so what is said of it changes only with the words. `BLESS=1` takes them as they come.
#[test]
fn inspect_shows_what_a_plugin_is() -> Result<()> {
    for form in ["module", "component"] {
        let plugin = format!("tests/fixtures/kept-0.1.0.{form}.wasm");
        let (shown, _) = printed(&["inspect", &plugin], 0)?;
        let golden = files::root().join(format!("tests/golden/inspect.{form}.txt"));
        if env::var_os("BLESS").is_some_and(|value| value == "1") {
            fs::write(&golden, &shown)?;
        }
        let wanted =
            fs::read_to_string(&golden).with_context(|| format!("no {}", golden.display()))?;
        assert_eq!(shown, wanted, "{form}");
    }
    Ok(())
}

#[test]
fn inspect_has_all_of_it_as_json() -> Result<()> {
    let shown = json(&["inspect", &plugin("counter")?, "--format", "json"], 0)?;
    assert_eq!(shown["form"], "core module");
    assert_eq!(shown["fits"], true);
    assert_eq!(shown["contracts"][0], "meterbox:plugin@0.1.0");
    assert_eq!(shown["families"][0]["name"], "ep1_counter");
    let sdk = shown["sdk"]
        .as_str()
        .context("a plugin of the SDK says so")?;
    ensure!(sdk.starts_with("meterbox-plugin 0.1."), "{sdk}");
    let names = |key: &str, origin: &str| -> Vec<String> {
        let all = shown[key].as_array().into_iter().flatten();
        all.filter(|each| each["origin"] == origin)
            .map(|each| each["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    ensure!(names("imports", "unknown").is_empty(), "{shown}");
    let mut exports = names("exports", "contract");
    // In whatever order the linker took them.
    exports.sort();
    assert_eq!(
        exports,
        [
            "meterbox:plugin/collector@0.1.0",
            "meterbox:plugin/schedule@0.1.0"
        ]
    );
    let wasi = names("exports", "wasi");
    ensure!(
        wasi[0].starts_with("wasi:http/incoming-handler@0.2."),
        "{wasi:?}"
    );
    Ok(())
}

/// What does not fit is shown as far as it can be read, with the reason.
#[test]
fn inspect_says_why_a_plugin_does_not_fit() -> Result<()> {
    let (out, err) = printed(&["inspect", &plugin("test/unknown_import")?], 78)?;
    ensure!(
        out.contains("(unknown)") && out.contains("fits this host: no: "),
        "{out}"
    );
    ensure!(
        err.contains("imports what this host does not have"),
        "{err}"
    );
    let (out, err) = printed(&["inspect", "Makefile"], 78)?;
    ensure!(
        out.is_empty() && err.contains("not a WebAssembly module"),
        "{out}{err}"
    );
    let (_, err) = printed(&["inspect", "no-such.wasm"], 78)?;
    ensure!(err.contains("cannot read no-such.wasm"), "{err}");
    Ok(())
}

#[test]
fn check_prints_the_page_and_ticks_between_collects() -> Result<()> {
    let (_dir, file) = config(&format!(
        "[plugins.hello]\nsource = {:?}\nprefix = \"x_\"\n",
        plugin("counter")?
    ))?;
    let (page, found) = printed(&["check", "hello", "--config.file", &file, "-n", "4"], 3)?;
    // Three ticks of 5, and the page is the last one.
    assert_eq!(Page::parse(&page)?.number("x_ep1_counter", &[])?, 15.0);
    ensure!(
        found.contains("advice: x_ep1_counter counter metrics should have \"_total\" suffix"),
        "{found}"
    );
    ensure!(
        found.contains("4 collects, 3 ticks, 0 faults, 0 restarts"),
        "{found}"
    );
    Ok(())
}

#[test]
fn check_takes_grants_and_settings_from_flags() -> Result<()> {
    let memory = plugin("memory")?;
    let (page, _) = printed(&["check", &memory, "--grant", "meminfo", "-n", "1"], 0)?;
    Page::parse(&page)?.number("memory_total_bytes", &[])?;
    let (_, found) = printed(&["check", &memory, "-n", "1"], 1)?;
    ensure!(
        found.contains("fault: ") && found.contains("grants.meminfo = true"),
        "{found}"
    );
    let increments = plugin("test/increments")?;
    let report = json(
        &[
            "check",
            &increments,
            "--config",
            "n=7",
            "-n",
            "3",
            "--format",
            "json",
        ],
        0,
    )?;
    ensure!(
        report["page"]
            .as_str()
            .is_some_and(|page| page.contains("increments_total 21")),
        "{report}"
    );
    let (_, err) = printed(&["check", &increments, "--config", "n"], 1)?;
    ensure!(err.contains("KEY=VALUE"), "{err}");
    let (_, err) = printed(&["check", &increments, "--grant", "teleport"], 78)?;
    ensure!(err.contains("teleport"), "{err}");
    Ok(())
}

#[test]
fn check_shows_faults_restarts_and_limits() -> Result<()> {
    let trapping = plugin("test/traps_in_collect")?;
    let args = [
        "check",
        &trapping,
        "--config",
        "trap=third",
        "-n",
        "6",
        "--format",
        "json",
    ];
    let report = json(&args, 1)?;
    let faults = report["faults"].as_array().context("a list")?;
    assert_eq!(faults.len(), 2, "{report}");
    assert_eq!(faults[0]["kind"], "trap");
    // The second loss has nothing after it that would need an instance.
    assert_eq!(report["restarts"], 1);
    let (_dir, file) = config(&format!(
        "[plugins.spin]\nsource = {:?}\ntimeout = \"200ms\"\n",
        plugin("test/spins_in_collect")?
    ))?;
    let (_, found) = printed(&["check", "spin", "--config.file", &file, "-n", "1"], 1)?;
    ensure!(
        found.contains("collect was stopped") && found.contains("met limits.timeout 1 times"),
        "{found}"
    );
    let (_, err) = printed(&["check", "nobody", "--config.file", &file], 1)?;
    ensure!(err.contains("no plugin \"nobody\"; it has spin"), "{err}");
    let (_, err) = printed(&["check", &plugin("test/unknown_import")?], 78)?;
    ensure!(err.contains("does not fit this host"), "{err}");
    Ok(())
}

#[test]
fn check_writes_openmetrics() -> Result<()> {
    let (page, _) = printed(
        &[
            "check",
            &plugin("pond_histogram")?,
            "-n",
            "1",
            "--format",
            "openmetrics",
        ],
        0,
    )?;
    ensure!(
        page.contains("pond_temperature_celsius_bucket{le=\"20.0\"} 192"),
        "{page}"
    );
    ensure!(page.ends_with("# EOF\n"), "{page}");
    Ok(())
}

/// What books print: `fmt.Println(proto.MarshalTextString(family))`.
#[test]
fn proto_text_is_that_of_go() -> Result<()> {
    let (shown, _) = printed(
        &[
            "check",
            &plugin("pond_histogram")?,
            "-n",
            "1",
            "--format",
            "proto-text",
        ],
        0,
    )?;
    let wanted = fs::read_to_string(files::root().join("tests/golden/pond.proto.txt"))?;
    assert_eq!(shown, wanted);
    Ok(())
}

/// The same families, read and printed by Go's own packages.
#[test]
fn go_prints_the_same_proto_text() -> Result<()> {
    let Some(judge) = judges::find_optional("marshal")? else {
        return Ok(());
    };
    for name in [
        "pond_histogram",
        "pond_summary",
        "counter_vec",
        "test/labels",
    ] {
        let plugin = plugin(name)?;
        let page = |format| -> Result<String> {
            // Whether there is advice does not matter here.
            let output = run(&["check", &plugin, "-n", "1", "--format", format])?;
            Ok(String::from_utf8(output.stdout)?)
        };
        let printed = judges::ask(&judge, &[], &page("text")?)?;
        ensure!(
            printed.status.success(),
            "{}",
            String::from_utf8_lossy(&printed.stderr)
        );
        assert_eq!(
            page("proto-text")?,
            String::from_utf8(printed.stdout)?,
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn bench_measures() -> Result<()> {
    let args = ["bench", &plugin("counter_vec")?, "--seconds", "1"];
    let (shown, _) = printed(&args, 0)?;
    for words in [
        "load and compile",
        "instantiate",
        "ns a collect",
        "MiB an instance",
    ] {
        ensure!(shown.contains(words), "{words}: {shown}");
    }
    let figures = json(&[&args[..], &["--format", "json"]].concat(), 0)?;
    let figure = |key: &str| {
        figures[key]
            .as_f64()
            .with_context(|| format!("{key}: {figures}"))
    };
    ensure!(
        figure("collects")? > 1.0 && figure("ns_per_collect")? > 0.0,
        "{figures}"
    );
    ensure!(figure("memory_bytes")? >= 65536.0, "{figures}");
    assert_eq!(figures["series"], 2);
    let failing = ["bench", &plugin("test/errs_in_collect")?, "--seconds", "1"];
    let (_, err) = printed(&failing, 1)?;
    ensure!(err.contains("no such device"), "{err}");
    Ok(())
}

#[test]
fn new_overwrites_nothing_and_takes_good_names_only() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let new = |name: &str, path: &Path| -> Result<Output> {
        let mut command = Command::new(files::binary()?);
        Ok(command.args(["new", name, "--path"]).arg(path).output()?)
    };
    let path = dir.path().join("p");
    ensure!(new("my-plugin", &path)?.status.success(), "it is not made");
    for file in [
        "Cargo.toml",
        "README.md",
        "meterbox.toml",
        "src/lib.rs",
        "tests/collect.rs",
    ] {
        let text = fs::read_to_string(path.join(file))?;
        ensure!(!text.contains("{{"), "{file}: {text}");
    }
    let again = new("my-plugin", &path)?;
    assert_eq!(again.status.code(), Some(1));
    for name in ["", "9a", "a b", "../a", "é"] {
        let refused = new(name, &dir.path().join("q"))?;
        assert_eq!(refused.status.code(), Some(1), "{name}");
    }
    ensure!(!dir.path().join("q").exists(), "something was written");
    Ok(())
}

/// The plugin of the template, built as its README says; the harness of its tests is tested by itself.
#[test]
fn a_new_project_builds_and_passes_its_check() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let project = dir.path().join("my-plugin");
    let made = Command::new(files::binary()?)
        .args(["new", "my-plugin", "--sdk"])
        .arg(files::root())
        .arg("--path")
        .arg(&project)
        .output()?;
    ensure!(made.status.success(), "{made:?}");
    // What the repository has locked is here, so that nothing is fetched.
    fs::copy(files::root().join("Cargo.lock"), project.join("Cargo.lock"))?;
    // What it depends on is built once.
    let target = files::root().join("target/new");
    fs::create_dir_all(&target)?;
    std::os::unix::fs::symlink(target, project.join("target"))?;
    let built = Command::new(files::root().join("guest/build.sh"))
        .arg(&project)
        .env("CARGO_NET_OFFLINE", "true")
        .output()?;
    ensure!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let path = String::from_utf8(built.stdout)?;
    let wasm = path.lines().last().context("no file is named")?;
    let args = ["check", wasm, "--config", "offset=-0.5", "-n", "3"];
    let (page, _) = printed(&args, 0)?;
    let page = Page::parse(&page)?;
    assert_eq!(
        page.number("my_plugin_temperature_celsius", &[("room", "kitchen")])?,
        21.0
    );
    assert_eq!(page.number("my_plugin_watched_seconds_total", &[])?, 2.0);
    Ok(())
}
