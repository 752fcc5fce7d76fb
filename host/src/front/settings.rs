//! What a web config file says, checked as far as it can be without the files that it names.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use ::http::{HeaderName, HeaderValue};

use super::{
    WebConfigError,
    latest::Reading,
    schema::{self, Rate, Secret, TlsServer},
    suites::{self, Suites},
};

/// No such file, nor a certificate, is larger.
const LARGEST: u64 = 1 << 20;

/// The whole file.
#[derive(Debug)]
pub(super) struct Settings {
    text: Vec<u8>,
    pub(super) tls: TlsSettings,
    pub(super) http2: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) users: BTreeMap<String, Secret>,
    pub(super) rate: Rate,
}

/// `tls_server_config`. Each text is inline PEM or a file.
#[derive(Debug)]
pub(super) struct TlsSettings {
    pub(super) cert: Option<Pem>,
    pub(super) key: Option<Pem>,
    pub(super) client_ca: Option<Pem>,
    pub(super) client_auth: ClientAuth,
    /// Whether `client_auth_type` says anything.
    pub(super) has_client_auth: bool,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) suites: Suites,
}

#[derive(Debug)]
pub(super) enum Pem {
    Inline(Secret),
    File(PathBuf),
}

/// What is asked of a client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

impl Settings {
    pub(super) fn read(path: &Path) -> Result<Self, WebConfigError> {
        let text = read_file(path).map_err(|source| unreadable(path, source))?;
        Self::parse(text, path)
    }

    /// The last ones, if the file is still the same.
    pub(super) fn again(path: &Path, last: Option<&Arc<Self>>) -> Reading<Self> {
        let text = read_file(path).map_err(|source| unreadable(path, source))?;
        match last {
            Some(last) if last.text == text => Ok(Arc::clone(last)),
            _ => Ok(Arc::new(Self::parse(text, path)?)),
        }
    }

    /// What they were made of.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    fn parse(text: Vec<u8>, path: &Path) -> Result<Self, WebConfigError> {
        let refused = |problem| WebConfigError::invalid(path, problem);
        let file = yaml(&text).map_err(refused)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let http = file.http_server_config.unwrap_or_default();
        let rate = file.rate_limit.unwrap_or_default();
        let users = file.basic_auth_users.unwrap_or_default().into_iter();
        Ok(Self {
            tls: tls(file.tls_server_config.unwrap_or_default(), folder)
                .map_err(|problem| refused(format!("tls_server_config.{problem}")))?,
            http2: http.http2.unwrap_or(true),
            headers: headers(http.headers.unwrap_or_default())
                .map_err(|problem| refused(format!("http_server_config.headers: {problem}")))?,
            users: users
                .map(|(name, hash)| (name, hash.unwrap_or_default()))
                .collect(),
            rate: Rate {
                interval: rate.interval.map_or(0, |interval| interval.0),
                burst: rate.burst.unwrap_or(0),
            },
            text,
        })
    }
}

impl Pem {
    pub(super) fn read(&self, key: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Inline(text) => Ok(text.0.clone().into_bytes()),
            Self::File(path) => read_file(path).map_err(|error| {
                let path = path.display();
                format!("tls_server_config.{key}_file: {path} cannot be read: {error}")
            }),
        }
    }
}

fn unreadable(path: &Path, source: io::Error) -> WebConfigError {
    let path = path.to_owned();
    WebConfigError::Read { path, source }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(text)
}

fn yaml(text: &[u8]) -> Result<schema::File, String> {
    let text = str::from_utf8(text).map_err(|_| "not UTF-8".to_owned())?;
    // A snippet would show hashes and keys in the log.
    let options = serde_saphyr::options! { with_snippet: false };
    let file: Result<Option<schema::File>, _> = serde_saphyr::from_str_with_options(text, options);
    match file {
        Ok(file) => Ok(file.unwrap_or_default()),
        Err(error) => Err(reword(&error.without_snippet().to_string())),
    }
}

/// What serde and its YAML say, in the words of a config file.
fn reword(message: &str) -> String {
    message
        .replace("unknown field", "unknown key")
        .replace(", set DuplicateKeyPolicy in Options if acceptable", "")
}

fn tls(file: TlsServer, folder: &Path) -> Result<TlsSettings, String> {
    let pem = |name: &str, inline: Option<Secret>, path: Option<String>| {
        let inline = inline.filter(|text| !text.0.is_empty());
        match (inline, path.filter(|path| !path.is_empty())) {
            (Some(_), Some(_)) => Err(format!("{name}: stands beside {name}_file; remove one")),
            (Some(inline), None) => Ok(Some(Pem::Inline(inline))),
            (None, path) => Ok(path.map(|path| Pem::File(folder.join(path)))),
        }
    };
    let policy = file.client_auth_type.unwrap_or_default();
    Ok(TlsSettings {
        cert: pem("cert", file.cert.map(Secret), file.cert_file)?,
        key: pem("key", file.key, file.key_file)?,
        client_ca: pem("client_ca", file.client_ca.map(Secret), file.client_ca_file)?,
        client_auth: client_auth(&policy)?,
        has_client_auth: !policy.is_empty(),
        client_allowed_sans: file.client_allowed_sans,
        suites: Suites::new(
            &file.cipher_suites.unwrap_or_default(),
            &file.curve_preferences.unwrap_or_default(),
            suites::version("min_version", file.min_version.as_deref())?,
            suites::version("max_version", file.max_version.as_deref())?,
            file.prefer_server_cipher_suites.unwrap_or(true),
        )?,
    })
}

fn client_auth(policy: &str) -> Result<ClientAuth, String> {
    Ok(match policy {
        "" | "NoClientCert" => ClientAuth::None,
        "RequestClientCert" => ClientAuth::Request,
        "RequireAnyClientCert" | "RequireClientCert" => ClientAuth::RequireAny,
        "VerifyClientCertIfGiven" => ClientAuth::VerifyIfGiven,
        "RequireAndVerifyClientCert" => ClientAuth::RequireAndVerify,
        other => return Err(format!("client_auth_type: invalid ClientAuth: {other}")),
    })
}

/// The only headers that the ecosystem lets operators set, with their values where those are few.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

fn headers(
    file: BTreeMap<String, Option<String>>,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let header = |(name, value): (String, Option<String>)| {
        let known = HEADERS.iter().find(|(known, _)| *known == name);
        let (_, values) =
            known.ok_or_else(|| format!("HTTP header {name:?} can not be configured"))?;
        let value = value.unwrap_or_default();
        if !values.is_empty() && !values.contains(&value.as_str()) {
            return Err(format!(
                "invalid value for {name}. Expected one of: {values:?}, but got: {value:?}"
            ));
        }
        let name_of = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
        let value = HeaderValue::from_str(&value)
            .map_err(|_| format!("the value of {name} has characters that no header can have"))?;
        Ok((name_of, value))
    };
    file.into_iter().map(header).collect()
}
