//! The front door: TLS, users, headers and rates by the toolkit's web config file; addresses and prefixes. curl, promtool and
//! Prometheus are the judges.

mod addresses;
mod plugins;
mod prometheus;
mod rotation;
mod schema;
mod tls;
mod users;

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, TestHost};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

/// `password`, by libxcrypt.
const HASH: &str = "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";

/// `pass:word two`, by libxcrypt.
const OTHER_HASH: &str = "$2b$05$zbcdefghijklmnopqrstuuoyOXo4rsfH1hi8K4QNnAs3C1xkhiHqG";

/// A directory with certificates and a web config file.
struct Door {
    dir: TempDir,
    ca: Issuer<'static, KeyPair>,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    /// The status line and the header fields, each on a line.
    head: String,
    body: String,
}

impl Door {
    /// `ca.pem`, and of its making `server` and `client`; of another's `stranger`; `selfsigned` of its own. Each `.pem` has its
    /// `.key`.
    fn new() -> Result<Self> {
        let ca = authority("tests")?;
        let dir = tempfile::tempdir()?;
        let door = Self { dir, ca: ca.1 };
        door.write("ca.pem", &ca.0)?;
        door.issue("server", &door.ca, &["localhost", "127.0.0.1"])?;
        door.issue(
            "client",
            &door.ca,
            &["client.example", "10.1.2.3", "2001:db8::1"],
        )?;
        door.issue("stranger", &authority("strangers")?.1, &["client.example"])?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["self.example".to_owned()])?;
        // As `openssl req -x509` makes them.
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        door.write("selfsigned.pem", &params.self_signed(&key)?.pem())?;
        door.write("selfsigned.key", &key.serialize_pem())?;
        Ok(door)
    }

    fn issue(&self, name: &str, ca: &Issuer<'_, KeyPair>, names: &[&str]) -> Result<()> {
        let key = KeyPair::generate()?;
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.subject_alt_names.push(SanType::Rfc822Name(
            format!("{name}@example.org").try_into()?,
        ));
        params.subject_alt_names.push(SanType::URI(
            format!("spiffe://example.org/{name}").try_into()?,
        ));
        self.write(&format!("{name}.pem"), &params.signed_by(&key, ca)?.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces a file as a whole, as whoever rotates certificates does.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let part = self.path("part");
        fs::write(&part, text)?;
        Ok(fs::rename(part, self.path(name))?)
    }

    fn config(&self, yaml: &str) -> Result<()> {
        self.write(
            "web.yml",
            &yaml.replace("OTHER_HASH", OTHER_HASH).replace("HASH", HASH),
        )
    }

    /// An exporter to be, behind this file.
    fn meterbox(&self, yaml: &str) -> Result<Meterbox> {
        self.config(yaml)?;
        let file = self.path("web.yml");
        Ok(Meterbox::new()
            .arg("--web.config.file")
            .arg(file.to_string_lossy()))
    }

    fn start(&self, yaml: &str) -> Result<TestHost> {
        self.meterbox(yaml)?.start()
    }

    /// curl's answer over https, with `ca.pem` trusted; its complaint is the error.
    fn https(&self, host: &TestHost, path: &str, args: &[&str]) -> Result<Answer> {
        let mut all = vec![
            "--cacert".to_owned(),
            self.path("ca.pem").display().to_string(),
        ];
        for arg in args {
            // NAME.pem and NAME.key are files of ours.
            let is_file = arg.ends_with(".pem") || arg.ends_with(".key");
            all.push(if is_file {
                self.path(arg).display().to_string()
            } else {
                (*arg).to_owned()
            });
        }
        let url = format!("https://localhost:{}{path}", host.address().port());
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        curl(&url, &all)
    }
}

/// curl's answer; what curl complains of is the error.
fn curl(url: &str, args: &[&str]) -> Result<Answer> {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--include",
            "--max-time",
            "30",
            "--noproxy",
            "*",
        ])
        .args(args)
        .arg(url)
        .env_clear()
        .output()
        .context("cannot start curl")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "curl: {}: {complaint}",
        output.status
    );
    let text = String::from_utf8(output.stdout)?;
    let (head, body) = text.split_once("\r\n\r\n").context("no head")?;
    Ok(Answer {
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    fn version(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value.trim_end())
        })
    }
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let certificate = params.self_signed(&key)?.pem();
    Ok((certificate, Issuer::new(params, key)))
}

/// The shortest file with TLS.
const TLS: &str = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n";

/// The URL of a path without TLS.
fn plain(host: &TestHost, path: &str) -> String {
    let address = host.address();
    assert!(matches!(address.ip(), IpAddr::V4(_)), "{address}");
    format!("http://{address}{path}")
}

/// The lines of a file, each with an indent.
fn indented(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().map(|line| format!("    {line}\n")).collect())
}
