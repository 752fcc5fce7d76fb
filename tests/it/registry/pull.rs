//! By digest, over TLS, with a password; kept; and back again.

use std::fs;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, files, judges};
use serde_json::Value;
use wit_component::ComponentEncoder;

use super::*;

#[test]
fn a_plugin_of_a_registry_runs_and_is_kept() -> Result<()> {
    let Some(mut setup) = Setup::new()? else {
        return Ok(());
    };
    let source = setup.push("counter", "counter:1", &[])?;
    setup.config("", &format!("source = {source:?}"))?;
    serves(&setup.exporter()?.start()?, COUNTER)?;
    serves(
        &setup.forgetful()?.arg("--state.directory=").start()?,
        COUNTER,
    )?;
    setup.down();
    serves(&setup.exporter()?.start()?, COUNTER)?;
    let words = [
        "registry localhost:",
        "pull of the manifest",
        "cannot be reached",
    ];
    let refused = setup.forgetful()?.arg("--state.directory=").refused()?;
    refused.expect(1, &words)?;
    // What is kept is held against its digest at each start.
    let mut blobs = 0;
    for entry in fs::read_dir(setup.path("state/plugins"))? {
        let path = entry?.path();
        let whole = fs::read(&path)?;
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        fs::write(&path, damaged)?;
        setup
            .exporter()?
            .refused()?
            .expect(1, &["cannot be reached"])?;
        fs::write(&path, whole)?;
        blobs += 1;
    }
    ensure!(blobs == 2, "manifest and layer, not {blobs}");
    serves(&setup.exporter()?.start()?, COUNTER)
}

#[test]
fn pull_fills_the_state_directory() -> Result<()> {
    let Some(mut setup) = Setup::new()? else {
        return Ok(());
    };
    let source = setup.push("counter", "counter:1", &[])?;
    setup.config("", &format!("source = {source:?}"))?;
    let state = format!("--state.directory={}", text(&setup.path("state"))?);
    let pulled = setup.run(&["pull", &state])?;
    expect(&pulled, 0, &["plugin counter: oci://localhost:"])?;
    setup.down();
    serves(&setup.exporter()?.start()?, COUNTER)?;
    expect(
        &setup.run(&["check", "counter"])?,
        1,
        &["cannot be reached"],
    )
}

/// What wkg writes: the types and the fields of `oci-wasm`.
#[test]
fn what_is_pushed_comes_back_and_has_the_form_of_wkg() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    let source = setup.push("counter", "counter:1", &[])?;
    ensure!(
        setup.push("counter", "counter:2", &[])? == source,
        "another digest"
    );
    let file = setup.path("back.wasm");
    for source in [source.clone(), setup.source("counter:1")] {
        let output = meterbox(&["pull", "--insecure", &source, "-o", text(&file)?])?;
        expect(&output, 0, &[source.as_str(), "sha256:"])?;
        ensure!(fs::read(&file)? == fs::read(files::plugin("counter")?)?);
    }
    let client = Client::new(setup.address);
    let get = |path: &str, accept: &str| -> Result<Value> {
        let response = client.request("GET", path, &[("Accept", accept)])?;
        Ok(serde_json::from_str(&response.text()?)?)
    };
    let component = ComponentEncoder::default()
        .module(&fs::read(files::plugin("counter")?)?)?
        .encode()?;
    let file = setup.path("component.wasm");
    fs::write(&file, component)?;
    let pushed = meterbox(&[
        "push",
        "--insecure",
        text(&file)?,
        &setup.source("counter:c"),
    ])?;
    expect(&pushed, 0, &["@sha256:"])?;
    let image = "application/vnd.oci.image.manifest.v1+json";
    for (tag, os) in [("1", "wasip1"), ("c", "wasip2")] {
        let manifest = get(&format!("/v2/test/counter/manifests/{tag}"), image)?;
        ensure!(manifest["mediaType"] == image && manifest["schemaVersion"] == 2);
        let config = &manifest["config"];
        ensure!(config["mediaType"] == "application/vnd.wasm.config.v0+json");
        let layer = &manifest["layers"][0];
        ensure!(layer["mediaType"] == "application/wasm" && manifest["layers"][1].is_null());
        let digest = config["digest"].as_str().context("no digest")?;
        let config = get(&format!("/v2/test/counter/blobs/{digest}"), "*/*")?;
        ensure!(config["architecture"] == "wasm", "{config}");
        ensure!(config["os"] == os, "{config}");
        ensure!(config["layerDigests"][0] == layer["digest"], "{config}");
        let exports = config["component"]["exports"].to_string();
        ensure!(
            exports.contains("meterbox:plugin/") == (os == "wasip2"),
            "{config}"
        );
    }
    Ok(())
}

#[test]
fn what_fits_nobody_is_not_pushed() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    let file = setup.path("x.wasm");
    let to = setup.source("x:1");
    for (bytes, words) in [
        (&b"nonsense"[..], "not a WebAssembly module"),
        (b"\0asm\x0d\0\x01\0", "does not fit this host"),
    ] {
        fs::write(&file, bytes)?;
        let output = meterbox(&["push", "--insecure", text(&file)?, &to])?;
        expect(&output, 78, &[words])?;
    }
    let good = files::plugin("counter")?;
    let good = text(&good)?;
    let digest = format!("{to}@sha256:{}", "0".repeat(64));
    expect(
        &meterbox(&["push", good, &digest])?,
        1,
        &["a digest is what comes of it"],
    )?;
    expect(
        &meterbox(&["push", good, "x.wasm"])?,
        1,
        &["no place in a registry"],
    )?;
    let tls = meterbox(&["push", good, &to])?;
    expect(&tls, 1, &["registry localhost:", "push of the plugin"])
}

#[test]
fn tls_and_passwords_are_kept_to() -> Result<()> {
    let kind = Kind {
        tls: true,
        password: true,
    };
    let Some(setup) = Setup::of(kind)? else {
        return Ok(());
    };
    let (host, ca) = (setup.host(), setup.path("server.pem"));
    let write = |keys: &str, plugin: &str| -> Result<()> {
        let lines = format!("[registries.{host:?}]\n{keys}\n[plugins.counter]\n{plugin}\n");
        Ok(fs::write(setup.path("meterbox.toml"), lines)?)
    };
    let trusted = format!("ca-file = {ca:?}\n");
    let user = |password: &str| format!("{trusted}username = \"alice\"\npassword = {password}");
    fs::write(setup.path("secret"), "password\n")?;
    let good = user("{ file = \"secret\" }");
    let to = setup.source("counter:1");
    let plugin = files::plugin("counter")?;
    let push = ["push", text(&plugin)?, &to];

    write(&good, "source = \"x.wasm\"")?;
    let output = setup.run(&push)?;
    expect(&output, 0, &["@sha256:"])?;
    let source = String::from_utf8(output.stdout)?.trim().to_owned();
    let of_source = format!("source = {source:?}");
    write(&good, &of_source)?;
    let running = setup.exporter()?.start()?;
    serves(&running, COUNTER)?;
    ensure!(!running.log().join("\n").contains("password"));

    let alone = || Ok::<_, anyhow::Error>(setup.forgetful()?.arg("--state.directory="));
    for (keys, code, words) in [
        (trusted.as_str(), 1, "username and password"),
        (&user("\"wr0ng\""), 1, "refuses the user"),
        ("", 1, "cannot be reached"),
        ("insecure = true", 1, "registry localhost:"),
        (&user("{ env = \"NOT_SET\" }"), 78, "NOT_SET is not set"),
    ] {
        write(keys, &of_source)?;
        let refused = alone()?.refused()?;
        refused.expect(code, &[words])?;
        ensure!(!refused.output.contains("wr0ng"), "{}", refused.output);
    }
    write(&trusted, "source = \"x.wasm\"")?;
    expect(&setup.run(&push)?, 1, &["who may push"])?;

    // A file of a server: the registry's own blobs are some.
    let digest = digest(&fs::read(&plugin)?)?;
    let url = format!("https://{host}/v2/test/counter/blobs/{digest}?key=s3cret");
    let of_url = format!("source = {url:?}\ndigest = {digest:?}");
    write(&good, &of_url)?;
    let running = alone()?.start()?;
    serves(&running, COUNTER)?;
    let other = format!("source = {url:?}\ndigest = \"sha256:{}\"", "0".repeat(64));
    write(&good, &other)?;
    let refused = alone()?.refused()?;
    refused.expect(78, &["server localhost:", "instead of sha256:0000"])?;
    ensure!(!refused.output.contains("s3cret"), "{}", refused.output);
    let gone = of_url.replace("/counter/", "/nowhere/");
    write(&good, &gone)?;
    alone()?.refused()?.expect(1, &["server localhost:"])?;
    write(&good, &format!("source = {url:?}"))?;
    alone()?.refused()?.expect(78, &["run meterbox lock"])?;
    expect(&setup.run(&["lock"])?, 0, &["is new"])?;
    serves(&alone()?.start()?, COUNTER)
}

#[test]
fn a_file_is_held_against_its_digest() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("m.toml");
    let plugin = files::plugin("counter")?;
    let right = digest(&fs::read(&plugin)?)?;
    let exporter = |digest: &str| -> Result<Meterbox> {
        let lines = format!("[plugins.counter]\nsource = {plugin:?}\ndigest = {digest:?}\n");
        fs::write(&config, lines)?;
        Ok(Meterbox::new().arg(format!("--config.file={}", text(&config)?)))
    };
    serves(&exporter(&right)?.start()?, COUNTER)?;
    let zeros = format!("sha256:{}", "0".repeat(64));
    exporter(&zeros)?.refused()?.expect(
        78,
        &["check of the file", right.as_str(), "correct the digest"],
    )?;
    exporter("sha256:0")?
        .refused()?
        .expect(78, &["m.toml:3: plugins.counter.digest", "no digest"])
}

#[test]
fn a_reload_that_cannot_pull_changes_nothing() -> Result<()> {
    let Some(mut setup) = Setup::new()? else {
        return Ok(());
    };
    let counter = setup.push("counter", "counter:1", &[])?;
    let gauge = setup.push("gauge", "gauge:1", &[])?;
    setup.config("", &format!("source = {counter:?}"))?;
    let exporter = setup.exporter()?.arg("--web.enable-lifecycle").start()?;
    let reload = || -> Result<u16> { Ok(exporter.request("POST", "/-/reload", &[])?.status) };
    setup.config("", &format!("source = {gauge:?}"))?;
    ensure!(reload()? == 200);
    serves(&exporter, GAUGE)?;
    setup.config("", &format!("source = {counter:?}"))?;
    let program = judges::find("docker-registry")?.context("it was there")?;
    setup.down();
    ensure!(reload()? == 200, "it is kept");
    serves(&exporter, COUNTER)?;
    let absent = gauge.replace("/gauge@", "/absent@");
    let (absent, _) = absent.split_once('@').context("a digest")?;
    let absent = format!("{absent}@sha256:{}", "1".repeat(64));
    setup.config("", &format!("source = {absent:?}"))?;
    ensure!(reload()? == 500);
    serves(&exporter, COUNTER)?;
    exporter.logged(&["the reload is refused", "cannot be reached"])?;
    setup.up(&program)?;
    ensure!(reload()? == 500);
    exporter.logged(&["the reload is refused", "does not have it"])?;
    serves(&exporter, COUNTER)
}
