//! `[push]`: where metrics go that nobody can come for.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use ::http::Uri;
use serde::Deserialize;

use super::{
    error::Problem,
    names, units,
    value::{Secret, Value},
};

/// A system that takes remote write 1.0, which is sent the page at an interval. Serving goes on beside it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PushConfig {
    /// Where to, such as `https://prometheus.example/api/v1/write`. Required.
    pub url: String,
    /// Labels of every series that has not its own of that name; `job` and `instance` are what a scrape would have put
    /// there. Default: none.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How often the plugins are asked. Default: 30 seconds.
    #[serde(default = "interval", deserialize_with = "units::duration")]
    pub interval: Duration,
    /// How long the receiver may take for one request. Default: 10 seconds.
    #[serde(default = "timeout", deserialize_with = "units::duration")]
    pub timeout: Duration,
    /// Compressed bytes that wait while the receiver is away; when there are more, the oldest are dropped. Default: 64 MiB.
    #[serde(default = "queue", deserialize_with = "units::size")]
    pub queue: u64,
    /// For HTTP's basic authentication. Default: none.
    #[serde(default)]
    pub username: Option<String>,
    /// To the username.
    #[serde(default)]
    pub password: Option<Value>,
    /// For `Authorization: Bearer`. Default: none.
    #[serde(default)]
    pub bearer_token: Option<Value>,
    /// More headers, such as `X-Scope-OrgID`. Default: none.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// PEM certificates of the authorities to trust instead of the machine's. In a config file it is relative to that file's
    /// folder. Default: none.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn interval() -> Duration {
    Duration::from_secs(30)
}

fn timeout() -> Duration {
    Duration::from_secs(10)
}

fn queue() -> u64 {
    64 << 20
}

impl PushConfig {
    /// To this URL, with defaults for everything else.
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            labels: BTreeMap::new(),
            interval: interval(),
            timeout: timeout(),
            queue: queue(),
            username: None,
            password: None,
            bearer_token: None,
            headers: BTreeMap::new(),
            ca_file: None,
        }
    }

    pub(super) fn resolve(&mut self, base_dir: &Path) {
        let values = [&mut self.password, &mut self.bearer_token];
        let values = values.into_iter().flatten();
        for value in values.chain(self.headers.values_mut()) {
            value.resolve(base_dir);
        }
        if let Some(file) = &mut self.ca_file {
            *file = base_dir.join(&*file);
        }
    }

    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        let fail = |key: &str, text: &str| Err(Problem::new(text).at(key));
        let is_url =
            |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        match self.url.parse::<Uri>() {
            Ok(uri) if uri.authority().is_some_and(|at| at.as_str().contains('@')) => {
                return fail("url", "has a user in it; write username and password");
            }
            Ok(uri) if is_url(&uri) => {}
            _ => {
                return fail(
                    "url",
                    "is no URL; write it like \"https://prometheus.example/api/v1/write\"",
                );
            }
        }
        if self.interval.is_zero() {
            return fail("interval", "must be more than zero; write \"30s\"");
        }
        if self.timeout.is_zero() {
            return fail("timeout", "must be more than zero; write \"10s\"");
        }
        if self.queue == 0 {
            return fail("queue", "must be more than zero; write \"64MiB\"");
        }
        for name in self.labels.keys() {
            if !names::is_label_name(name) {
                let problem = Problem::new("cannot name a label; use letters, digits and \"_\"");
                return Err(problem.at(name).at("labels"));
            }
        }
        match (&self.username, &self.password, &self.bearer_token) {
            (None, Some(_), _) => fail("password", "has no username; write that, too"),
            (Some(_), None, _) => fail("username", "has no password; write that, too"),
            (Some(_), _, Some(_)) => fail(
                "bearer-token",
                "is a second way to log in beside username; keep one",
            ),
            _ => Ok(()),
        }
    }

    /// A value of one of its keys.
    pub(crate) fn look_up(key: &str, value: &Value) -> Result<Secret, String> {
        value
            .look_up()
            .map_err(|why| format!("[push] {key}: {why}"))
    }
}
