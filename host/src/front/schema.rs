//! The schema of the file, key by key. A key without a value is a key that is not there, as for Go.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};

use super::go_duration;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) tls_server_config: Option<TlsServer>,
    pub(super) http_server_config: Option<HttpServer>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Option<Secret>>>,
    pub(super) rate_limit: Option<RateLimit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsServer {
    pub(super) cert: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) client_ca: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) client_auth_type: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) cipher_suites: Option<Vec<String>>,
    pub(super) curve_preferences: Option<Vec<String>>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpServer {
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimit {
    pub(super) interval: Option<Interval>,
    pub(super) burst: Option<i64>,
}

/// `rate_limit`, with its defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rate {
    /// Between two requests, in nanoseconds. Zero and less: no limit. Default: zero.
    pub(super) interval: i64,
    /// Requests at one time. Default: none.
    pub(super) burst: i64,
}

/// Nanoseconds: a Go duration, or a whole number of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval(pub(super) i64);

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.parse().ok().or_else(|| go_duration::parse(&text));
        number.map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no duration; write \"1s\" or \"100ms\""
            ))
        })
    }
}

/// Text that no log shows.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
