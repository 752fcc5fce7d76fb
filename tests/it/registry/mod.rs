//! Plugins from registries and servers: what is pulled is what the config names, or nothing. The registry is somebody
//! else's; one of our own tells lies.

mod lies;
mod lock;
mod pull;
mod signatures;

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Process, TestHost, files, judges, until};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

/// `password`, by libxcrypt.
const HASH: &str = "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";

/// docker-registry, with a folder for it and for whoever pulls.
struct Setup {
    folder: TempDir,
    address: SocketAddr,
    registry: Option<Process>,
}

/// What a registry asks for.
#[derive(Clone, Copy, Default)]
struct Kind {
    tls: bool,
    password: bool,
}

impl Setup {
    /// Plain HTTP, open to all. None if the judge is not here and need not be.
    fn new() -> Result<Option<Self>> {
        Self::of(Kind::default())
    }

    fn of(kind: Kind) -> Result<Option<Self>> {
        let Some(program) = judges::find("docker-registry")? else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        // Nobody else takes it at once.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let root = folder.path().display();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {root}/data}}\n  delete: {{enabled: true}}\nhttp:\n  addr: {address}\n"
        );
        if kind.tls {
            let key = KeyPair::generate()?;
            let certificate = CertificateParams::new(vec!["localhost".to_owned()])?;
            let certificate = certificate.self_signed(&key)?.pem();
            fs::write(folder.path().join("server.pem"), certificate)?;
            fs::write(folder.path().join("server.key"), key.serialize_pem())?;
            config.push_str(&format!(
                "  tls: {{certificate: {root}/server.pem, key: {root}/server.key}}\n"
            ));
        }
        if kind.password {
            fs::write(folder.path().join("users"), format!("alice:{HASH}\n"))?;
            config.push_str(&format!(
                "auth:\n  htpasswd: {{realm: test, path: {root}/users}}\n"
            ));
        }
        fs::write(folder.path().join("registry.yml"), config)?;
        let mut setup = Self {
            folder,
            address,
            registry: None,
        };
        setup.up(&program)?;
        Ok(Some(setup))
    }

    fn up(&mut self, program: &Path) -> Result<()> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .arg("serve")
            .arg(self.path("registry.yml"));
        self.registry = Some(Process::start(&mut command)?);
        until(PATIENCE, || Ok(TcpStream::connect(self.address)?))?;
        Ok(())
    }

    /// The registry is gone.
    fn down(&mut self) {
        self.registry = None;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `localhost:PORT`.
    fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// `oci://localhost:PORT/test/NAME`.
    fn source(&self, name: &str) -> String {
        format!("oci://{}/test/{name}", self.host())
    }

    /// Pushes a plugin; the source with its digest.
    fn push(&self, plugin: &str, to: &str, more: &[&str]) -> Result<String> {
        let file = files::plugin(plugin)?;
        let to = self.source(to);
        let mut args = vec!["push", "--insecure", text(&file)?, &to];
        args.extend(more);
        let output = meterbox(&args)?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// A config with this plugin, and more lines before it; `meterbox.toml` in the folder.
    fn config(&self, lines: &str, plugin: &str) -> Result<String> {
        let host = self.host();
        let path = self.path("meterbox.toml");
        let registry = format!("[registries.{host:?}]\ninsecure = true\n");
        fs::write(
            &path,
            format!("{registry}{lines}\n[plugins.counter]\n{plugin}\n"),
        )?;
        Ok(text(&path)?.to_owned())
    }

    /// An exporter with that config, which keeps what it pulls.
    fn exporter(&self) -> Result<Meterbox> {
        Ok(self
            .forgetful()?
            .arg(format!("--state.directory={}", text(&self.path("state"))?)))
    }

    /// The same without a state directory.
    fn forgetful(&self) -> Result<Meterbox> {
        let config = self.path("meterbox.toml");
        Ok(Meterbox::new().arg(format!("--config.file={}", text(&config)?)))
    }

    /// Runs a command on the config.
    fn run(&self, args: &[&str]) -> Result<Output> {
        let config = format!("--config.file={}", text(&self.path("meterbox.toml"))?);
        meterbox(&[args, &[&config]].concat())
    }

    /// The file in which the registry keeps a blob.
    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let folder = format!("data/docker/registry/v2/blobs/sha256/{}/{hex}", &hex[..2]);
        self.path(&folder).join("data")
    }
}

/// A pair of keys as files: `NAME.key` and `NAME.pub`.
fn keys(setup: &Setup, name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Result<()> {
    let pair = KeyPair::generate_for(algorithm)?;
    fs::write(setup.path(&format!("{name}.key")), pair.serialize_pem())?;
    fs::write(setup.path(&format!("{name}.pub")), pair.public_key_pem())?;
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// Runs the binary to its end.
fn meterbox(args: &[&str]) -> Result<Output> {
    let mut command = Command::new(files::binary()?);
    Ok(command
        .env_clear()
        .current_dir(files::root())
        .args(args)
        .output()?)
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Fails unless the command ended with this code and said all of this.
fn expect(output: &Output, code: i32, words: &[&str]) -> Result<()> {
    let said = said(output);
    ensure!(output.status.code() == Some(code), "{said}");
    for word in words {
        ensure!(said.contains(word), "no {word:?}: {said}");
    }
    Ok(())
}

/// The digest of these bytes, by somebody else.
fn digest(bytes: &[u8]) -> Result<String> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), bytes)?;
    let sum = Command::new("sha256sum").arg(file.path()).output()?;
    let sum = String::from_utf8(sum.stdout)?;
    let hex = sum.get(..64).context("a sum")?;
    Ok(format!("sha256:{hex}"))
}

/// What it counts with, which tells one demo from another.
fn serves(host: &TestHost, family: &str) -> Result<()> {
    let page = host.get("/metrics")?.text()?;
    let help = format!("# TYPE {family} ");
    ensure!(page.contains(&help), "{page}");
    Ok(())
}

/// Of these demos.
const COUNTER: &str = "ep1_counter";
const GAUGE: &str = "temperature_celsius";
