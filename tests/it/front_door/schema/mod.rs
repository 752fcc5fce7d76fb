//! Every key of the file, accepted and refused. promtool, of an older toolkit, has to agree where it knows the keys.

mod accepted;
mod refused;

use std::{net::TcpListener, process::Command};

use anyhow::{Context, Result, bail, ensure};
use meterbox_tests::judges;

use super::{Door, indented};

/// Whether promtool is to be asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Promtool {
    Agrees,
    /// It is older than the key, looks at less, or is more generous; docs/web-config.md says which.
    Differs,
}

/// Runs it on a port that is taken, so that a file that is good ends in another way. None, or why it was refused.
fn refused(door: &Door, yaml: &str) -> Result<Option<String>> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let end = door.meterbox(yaml)?.listen(taken.local_addr()?).refused()?;
    match end.code {
        1 if end.output.contains("cannot listen") => Ok(None),
        78 => {
            ensure!(!end.output.contains("panicked"), "{}", end.output);
            Ok(end.output.lines().last().map(str::to_owned))
        }
        code => bail!("exit code {code}: {}", end.output),
    }
}

fn ask_promtool(door: &Door) -> Result<Option<bool>> {
    let Some(promtool) = judges::find("promtool")? else {
        return Ok(None);
    };
    let mut command = Command::new(promtool);
    command
        .args(["check", "web-config"])
        .arg(door.path("web.yml"));
    Ok(Some(command.output()?.status.success()))
}

fn check(cases: &[(Promtool, &str, &[&str])]) -> Result<()> {
    let door = Door::new()?;
    let inline = |name: &str| indented(&door.path(name));
    let (cert, key, ca) = (
        inline("server.pem")?,
        inline("server.key")?,
        inline("ca.pem")?,
    );
    for (promtool, yaml, words) in cases {
        let yaml = yaml
            .replace(
                "TLS:\n",
                "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n",
            )
            .replace("INLINE_CERT\n", &format!("|\n{cert}"))
            .replace("INLINE_KEY\n", &format!("|\n{key}"))
            .replace("INLINE_CA\n", &format!("|\n{ca}"));
        let why = refused(&door, &yaml).with_context(|| format!("file:\n{yaml}"))?;
        match (&why, words.is_empty()) {
            (None, true) => {}
            (Some(why), false) => {
                let all: Vec<_> = ["web.yml"].iter().chain(*words).collect();
                let has_all = all.iter().all(|word| why.contains(**word));
                ensure!(has_all, "{why}\nhas not all of {words:?}; file:\n{yaml}");
            }
            (None, false) => bail!("was accepted:\n{yaml}"),
            (Some(why), true) => bail!("was refused: {why}\n{yaml}"),
        }
        if *promtool == Promtool::Agrees
            && let Some(accepts) = ask_promtool(&door)?
        {
            assert_eq!(accepts, why.is_none(), "promtool; file:\n{yaml}");
        }
    }
    Ok(())
}

/// What is wrong with a hash or a key is said without it.
#[test]
fn no_refusal_shows_a_secret() -> Result<()> {
    let door = Door::new()?;
    for yaml in [
        "basic_auth_users: {alice: s3cret}\n",
        "basic_auth_users: {alice: [s3cret]}\n",
        "basic_auth_users: s3cret\n",
        "basic_auth_users: {alice: \"s3cret}\n",
        "basic_auth_users: {alice: s3cret, alice: s3cret}\n",
        "tls_server_config: {cert_file: server.pem, key: s3cret}\n",
        "tls_server_config: {cert_file: server.pem, key: [s3cret]}\n",
        "basic_auth_users: {alice: s3cret\n  bob: s3cret}\nx",
    ] {
        let why = refused(&door, yaml)?.with_context(|| format!("accepted: {yaml}"))?;
        ensure!(!why.contains("s3cret"), "{why}");
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_is_named() -> Result<()> {
    let refusal = meterbox_tests::Meterbox::new()
        .arg("--web.config.file=/nowhere/web.yml")
        .refused()?;
    refusal.expect(78, &["/nowhere/web.yml", "cannot be read"])
}
