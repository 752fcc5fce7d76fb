//! Which HTTP requests a plugin may make.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use http::{Method, Uri};
use ipnet::IpNet;
use serde::{Deserialize, de::Deserializer};

use super::{
    either::{self, Either},
    target::Hosts,
};

/// Requests that a plugin may make: `"https://api.example.com/v1"`, or a table
/// `{ url = "http://localhost:9200", methods = ["GET", "POST"], private = true }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    /// Whether by https; else http.
    pub is_https: bool,
    /// The host: a name or one address.
    pub host: Hosts,
    /// The port; by default 443 or 80.
    pub port: u16,
    /// What the path has to begin with, whole segments of it: `/v1` is for `/v1` and `/v1/x`. `/` is for all.
    pub path: String,
    /// Methods. Default: GET and HEAD.
    pub methods: Vec<Method>,
    /// Whether the name may resolve to loopback and private addresses. Default: false.
    pub private: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Table {
    url: String,
    methods: Option<Vec<String>>,
    #[serde(default)]
    private: bool,
}

impl Either for HttpGrant {
    type Table = Table;
    const EXPECTING: &str = r#"a URL or { url = "...", methods = ["GET"], private = true }"#;

    fn of_table(table: Table) -> Result<Self, String> {
        let mut grant: Self = table.url.parse()?;
        grant.private = table.private;
        if let Some(methods) = table.methods {
            let methods = methods.iter().map(|method| parse_method(method));
            grant.methods = methods.collect::<Result<_, _>>()?;
        }
        Ok(grant)
    }
}

impl<'de> Deserialize<'de> for HttpGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        either::deserialize(deserializer)
    }
}

fn parse_method(text: &str) -> Result<Method, String> {
    let method = Method::from_bytes(text.as_bytes());
    let method = method
        .ok()
        .filter(|_| text.bytes().all(|b| b.is_ascii_uppercase()));
    match method {
        // A tunnel leads anywhere.
        Some(method) if method != Method::CONNECT => Ok(method),
        _ => Err(format!(
            "{text:?} cannot be granted; write methods like \"GET\" or \"POST\""
        )),
    }
}

impl FromStr for HttpGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write it like \"https://api.example.com/v1\"";
        let uri: Uri = text
            .parse()
            .map_err(|_| format!("{text:?} is no URL; {form}"))?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => {
                return Err(format!(
                    "{text:?} begins with neither http:// nor https://; {form}"
                ));
            }
        };
        let authority = uri
            .authority()
            .map(http::uri::Authority::as_str)
            .unwrap_or_default();
        if authority.contains('@') {
            return Err(
                "has a user in it; the plugin sends credentials itself, from its config".into(),
            );
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(format!(
                "{text:?}: a grant ends with the path; queries are the plugin's"
            ));
        }
        let host = host(uri.host().unwrap_or_default())?;
        let port = match (authority.rsplit_once(':'), uri.port_u16()) {
            (_, Some(0)) => return Err(format!("{text:?}: there is no port 0")),
            (_, Some(port)) => port,
            (Some((_, port)), None) if !port.ends_with(']') => {
                return Err(format!("{text:?} has no port after its colon; {form}"));
            }
            (_, None) if is_https => 443,
            (_, None) => 80,
        };
        let path = match uri.path().trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        if let Some(why) = path_problem(path) {
            return Err(format!("{text:?}: {why}"));
        }
        Ok(Self {
            is_https,
            host,
            port,
            path: path.to_owned(),
            methods: vec![Method::GET, Method::HEAD],
            private: false,
        })
    }
}

/// The host of a URL: in brackets if it is an IPv6 address.
pub(crate) fn host(text: &str) -> Result<Hosts, String> {
    match text
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
    {
        Some(inner) => {
            let address: Ipv6Addr = inner
                .parse()
                .map_err(|_| format!("{text:?} is no address"))?;
            Ok(Hosts::Net(IpNet::from(address.to_canonical())))
        }
        None if text.contains('/') => Err(format!("{text:?} is no host")),
        None => text.parse(),
    }
}

/// Why two programs could understand a path differently.
pub(crate) fn path_problem(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase().replace("%2e", ".");
    if lower.contains("%2f") || lower.contains("%5c") || lower.contains('\\') {
        return Some("an encoded slash or a backslash has no clear meaning in a path");
    }
    let mut segments = lower.split('/');
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    segments
        .any(is_dots)
        .then_some("a path may not have the segments . and ..")
}

impl HttpGrant {
    /// Whether a path is below the one that is granted.
    pub(crate) fn covers_path(&self, path: &str) -> bool {
        if self.path == "/" {
            return true;
        }
        let rest = path.strip_prefix(self.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && path_problem(path).is_none()
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}
