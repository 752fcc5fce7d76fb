//! Who has signed it.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, files};
use serde_json::Value;

use super::*;

fn policy(policy: &str, key: &str) -> String {
    format!("[signatures]\npolicy = {policy:?}\nkeys = [{key:?}]")
}

/// Signs what a registry has with a key, as `meterbox push --sign` does.
fn sign(setup: &Setup, plugin: &str, to: &str, key: &str) -> Result<String> {
    let key = setup.path(&format!("{key}.key"));
    setup.push(plugin, to, &["--sign", text(&key)?])
}

#[test]
fn what_a_key_has_signed_runs() -> Result<()> {
    let Some(mut setup) = Setup::new()? else {
        return Ok(());
    };
    keys(&setup, "ed", &rcgen::PKCS_ED25519)?;
    keys(&setup, "ec", &rcgen::PKCS_ECDSA_P256_SHA256)?;
    keys(&setup, "other", &rcgen::PKCS_ED25519)?;
    let alone =
        |setup: &Setup| Ok::<_, anyhow::Error>(setup.forgetful()?.arg("--state.directory="));
    let source = sign(&setup, "counter", "counter:1", "ed")?;
    let plugin = format!("source = {source:?}");
    setup.config(&policy("require", "ed.pub"), &plugin)?;
    serves(&setup.exporter()?.start()?, COUNTER)?;
    let words = [
        "signature",
        "none of the keys",
        "signatures.policy requires",
    ];
    for key in ["other.pub", "ec.pub"] {
        setup.config(&policy("require", key), &plugin)?;
        alone(&setup)?.refused()?.expect(78, &words)?;
        // What was kept is asked for again, and so is its signature.
        setup.exporter()?.refused()?.expect(78, &words)?;
    }
    // A second signature stands beside the first.
    sign(&setup, "counter", "counter:1", "ec")?;
    for key in ["ed.pub", "ec.pub"] {
        setup.config(&policy("require", key), &plugin)?;
        serves(&alone(&setup)?.start()?, COUNTER)?;
    }
    setup.config(&policy("require", "ed.pub"), &plugin)?;
    setup.down();
    serves(&setup.exporter()?.start()?, COUNTER)?;
    setup.config(&policy("require", "other.pub"), &plugin)?;
    setup
        .exporter()?
        .refused()?
        .expect(1, &["the signatures of", "cannot be reached"])
}

#[test]
fn what_nobody_has_signed_does_as_the_policy_says() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    keys(&setup, "ed", &rcgen::PKCS_ED25519)?;
    let source = setup.push("counter", "counter:1", &[])?;
    let plugin = format!("source = {source:?}");
    setup.config(&policy("require", "ed.pub"), &plugin)?;
    setup
        .exporter()?
        .refused()?
        .expect(78, &[&source[6..], "it is not signed"])?;
    setup.config(&policy("warn", "ed.pub"), &plugin)?;
    let exporter = setup.exporter()?.start()?;
    serves(&exporter, COUNTER)?;
    ensure!(exporter.logged(&["level=warn", "it is not signed"])? == 1);
    setup.config(&policy("off", "ed.pub"), &plugin)?;
    serves(&setup.exporter()?.start()?, COUNTER)?;
    setup.config("[signatures]\npolicy = \"require\"", &plugin)?;
    setup
        .exporter()?
        .refused()?
        .expect(78, &["signatures.keys", "no key"])?;
    for (key, words) in [("none.pub", "No such file"), ("ed.key", "no public key")] {
        setup.config(&policy("require", key), &plugin)?;
        setup
            .exporter()?
            .refused()?
            .expect(78, &["signatures.keys", words])?;
    }
    Ok(())
}

/// A signature of one plugin under the name of another, and one that was changed.
#[test]
fn a_signature_is_of_what_it_names() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    keys(&setup, "ed", &rcgen::PKCS_ED25519)?;
    let counter = sign(&setup, "counter", "plugin:1", "ed")?;
    let gauge = setup.push("gauge", "plugin:2", &[])?;
    let elsewhere = setup.push("counter", "elsewhere:1", &[])?;
    let tag = |source: &str| -> Result<String> {
        let (_, digest) = source.split_once("@sha256:").context("a digest")?;
        Ok(format!("sha256-{digest}.sig"))
    };
    let alone = || Ok::<_, anyhow::Error>(setup.forgetful()?.arg("--state.directory="));
    let client = Client::new(setup.address);
    let accept = "application/vnd.oci.image.manifest.v1+json";
    let path = format!("/v2/test/plugin/manifests/{}", tag(&counter)?);
    let manifest = client
        .request("GET", &path, &[("Accept", accept)])?
        .text()?;
    let copy = |repository: &str, tag: &str| -> Result<()> {
        let url = format!("http://{}/v2/{repository}/manifests/{tag}", setup.address);
        let sent = ureq::put(url)
            .header("Content-Type", accept)
            .send(&manifest)?;
        ensure!(sent.status() == 201, "{sent:?}");
        Ok(())
    };
    copy("test/plugin", &tag(&gauge)?)?;
    setup.config(&policy("require", "ed.pub"), &format!("source = {gauge:?}"))?;
    alone()?
        .refused()?
        .expect(78, &["a signature was put where another belongs"])?;

    // The registry has the blobs under each name that somebody mounts them for.
    let parsed: Value = serde_json::from_str(&manifest)?;
    for blob in [&parsed["config"], &parsed["layers"][0]] {
        let digest = blob["digest"].as_str().context("a digest")?;
        let mount = format!("/v2/test/elsewhere/blobs/uploads/?mount={digest}&from=test/plugin");
        let mounted = client.request("POST", &mount, &[])?;
        ensure!(mounted.status == 201, "{}", mounted.status);
    }
    copy("test/elsewhere", &tag(&elsewhere)?)?;
    setup.config(
        &policy("require", "ed.pub"),
        &format!("source = {elsewhere:?}"),
    )?;
    alone()?
        .refused()?
        .expect(78, &["was signed as", "test/plugin"])?;

    // One byte of what was signed.
    let digest = parsed["layers"][0]["digest"].as_str().context("a digest")?;
    let blob = setup.blob(digest);
    let mut payload = fs::read(&blob)?;
    payload[10] ^= 1;
    fs::write(blob, payload)?;
    setup.config(
        &policy("require", "ed.pub"),
        &format!("source = {counter:?}"),
    )?;
    alone()?
        .refused()?
        .expect(78, &["signature", "nothing of it is used"])
}

/// `FILE.sig`, by openssl.
#[test]
fn files_are_signed_beside_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let openssl = |args: &[&str]| -> Result<()> {
        let mut command = Command::new("openssl");
        let output = command.current_dir(folder.path()).args(args).output()?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok(())
    };
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let run = |line: &str| openssl(&words(line).iter().map(String::as_str).collect::<Vec<_>>());
    run("genpkey -algorithm ed25519 -out ed.key")?;
    run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key")?;
    for key in ["ed", "ec"] {
        run(&format!("pkey -in {key}.key -pubout -out {key}.pub"))?;
    }
    fs::copy(files::plugin("counter")?, path("counter.wasm"))?;
    let exporter = |key: &str| -> Result<Meterbox> {
        let config = format!(
            "{}\n[plugins.counter]\nsource = 'counter.wasm'\n",
            policy("require", key)
        );
        fs::write(path("m.toml"), config)?;
        Ok(Meterbox::new().arg(format!("--config.file={}", text(&path("m.toml"))?)))
    };
    exporter("ed.pub")?
        .refused()?
        .expect(78, &["counter.wasm", "it is not signed"])?;
    run("pkeyutl -sign -rawin -inkey ed.key -in counter.wasm -out counter.wasm.sig")?;
    serves(&exporter("ed.pub")?.start()?, COUNTER)?;
    exporter("ec.pub")?
        .refused()?
        .expect(78, &["none of the keys"])?;
    run("dgst -sha256 -sign ec.key -out raw.sig counter.wasm")?;
    run("base64 -A -in raw.sig -out counter.wasm.sig")?;
    let signed = exporter("ec.pub")?.arg("--web.enable-lifecycle").start()?;
    serves(&signed, COUNTER)?;
    exporter("ed.pub")?
        .refused()?
        .expect(78, &["none of the keys"])?;

    // Other bytes have no signature: what runs stays.
    exporter("ec.pub")?;
    fs::copy(files::plugin("gauge")?, path("counter.wasm"))?;
    ensure!(signed.request("POST", "/-/reload", &[])?.status == 500);
    signed.logged(&["the reload is refused", "none of the keys"])?;
    serves(&signed, COUNTER)
}
