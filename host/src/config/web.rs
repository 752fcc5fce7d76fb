//! `[web]`: the HTTP server.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer};

use super::{error::Problem, external_url, listen_address, names, units};

/// The page that links to all others, and shows all plugins.
pub const LANDING_PATH: &str = "/";
/// Answers 200 as long as the process answers at all.
pub const HEALTHY_PATH: &str = "/-/healthy";
/// Answers 200 until the exporter shuts down, then 503.
pub const READY_PATH: &str = "/-/ready";
/// Reads the config again, for POST and PUT.
pub const RELOAD_PATH: &str = "/-/reload";

/// Has a plugin probe a target.
pub const PROBE_PATH: &str = "/probe";
/// What the page of a plugin begins with; its name follows.
pub const PLUGINS_PATH: &str = "/plugins/";
/// All plugins as JSON. Behind a slash and a plugin's name: that plugin.
pub const API_PATH: &str = "/api/v1/plugins";

const PAGES: [&str; 5] = [
    LANDING_PATH,
    HEALTHY_PATH,
    READY_PATH,
    RELOAD_PATH,
    PROBE_PATH,
];

/// Addresses, paths and bounds of the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebConfig {
    /// Where to listen, as `HOST:PORT` or `unix:///PATH`. Port 0 takes a free one; no host (`:8080`) means every interface.
    /// Default: `127.0.0.1:8080`.
    pub listen_addresses: Vec<String>,
    /// Whether to listen on the sockets of systemd instead. Default: false.
    pub systemd_socket: bool,
    /// The web config file of Prometheus's exporter-toolkit: TLS, users, headers, rate limit; see [`crate::front`]. Default:
    /// none.
    pub config_file: Option<PathBuf>,
    /// Paths that are served without a question, whatever the web config file says of users and rates. Default: none.
    pub auth_exempt_paths: Vec<String>,
    /// The URL under which a reverse proxy shows the exporter, or its path alone. Links begin with its path. Default: none.
    pub external_url: Option<String>,
    /// The path that all others stand behind. Default: the path of `external-url`.
    pub route_prefix: Option<String>,
    /// The path of the metrics page. Default: `/metrics`.
    pub telemetry_path: String,
    /// Whether the status pages are served: [`LANDING_PATH`], [`PLUGINS_PATH`] and [`API_PATH`]. They show names, sources, faults
    /// and log lines of plugins to whoever may read the metrics. Default: true.
    pub status: bool,
    /// Whether `POST /-/reload` reads the config again. Default: false.
    pub enable_lifecycle: bool,
    /// Connections at one time, over all addresses; more wait in the kernel's backlog. Default: 512.
    pub max_connections: usize,
    /// Connections of one peer, which is an IPv4 address or an IPv6 /64; more are closed at once. Default: three quarters of
    /// `max-connections`, so that no peer shuts the others out.
    pub max_connections_per_peer: Option<usize>,
    /// Requests for the metrics page at one time; more are answered with 503. Zero means no limit. Default: 40.
    pub max_requests: usize,
    /// How long a request for the metrics page may take until its answer begins; longer is answered with 503. Default:
    /// none.
    #[serde(deserialize_with = "some_duration")]
    pub request_timeout: Option<Duration>,
    /// Whether pages have metrics about the exporter itself: its process, its requests, what plugins use up and what befalls
    /// them. Without them a plugin has three series of its own there: whether it is up, and its collect's success and
    /// duration. Default: true.
    pub exporter_metrics: bool,
    /// Whether OpenMetrics pages say when counters, histograms and summaries began, as a `_created` line for each: one more
    /// series each for readers that take it as such. Protobuf pages always say it. Default: false.
    pub created_lines: bool,
    /// How long a peer may take to send the head of a request, and how long a connection may stay idle before that.
    /// Default: 10 s.
    #[serde(deserialize_with = "units::duration")]
    pub read_timeout: Duration,
    /// A peer that takes no byte of its response for this long is dropped. Default: 10 s.
    #[serde(deserialize_with = "units::duration")]
    pub write_timeout: Duration,
    /// How long requests in flight may take to finish after the signal to stop; zero cuts them off. Default: 10 s.
    #[serde(deserialize_with = "units::duration")]
    pub shutdown_grace: Duration,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen_addresses: vec!["127.0.0.1:8080".to_owned()],
            systemd_socket: false,
            config_file: None,
            auth_exempt_paths: Vec::new(),
            external_url: None,
            route_prefix: None,
            telemetry_path: "/metrics".to_owned(),
            status: true,
            enable_lifecycle: false,
            max_connections: 512,
            max_connections_per_peer: None,
            max_requests: 40,
            request_timeout: None,
            exporter_metrics: true,
            created_lines: false,
            read_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

impl WebConfig {
    /// Connections that one peer may hold.
    pub fn connections_per_peer(&self) -> usize {
        self.max_connections_per_peer
            .unwrap_or(self.max_connections - self.max_connections / 4)
    }

    /// What stands before every path: empty, or a path that does not end in a slash.
    pub fn prefix(&self) -> String {
        match (&self.route_prefix, &self.external_url) {
            (Some(prefix), _) => external_url::trimmed(prefix),
            (None, Some(url)) => external_url::path(url).unwrap_or_default(),
            (None, None) => String::new(),
        }
    }

    /// What links begin with, where that is known: empty, or a path that does not end in a slash.
    pub fn external_path(&self) -> Option<String> {
        external_url::path(self.external_url.as_ref()?).ok()
    }

    /// `auth_exempt_paths` as requests name them.
    pub fn open_paths(&self) -> Vec<String> {
        let prefix = self.prefix();
        let paths = self.auth_exempt_paths.iter();
        paths.map(|path| format!("{prefix}{path}")).collect()
    }

    /// Whether the path is one of the exporter's own pages.
    pub(super) fn owns(&self, path: &str) -> bool {
        path == self.telemetry_path || PAGES.contains(&path) || self.is_status(path)
    }

    /// Whether the path is one of the status pages beside `/`.
    fn is_status(&self, path: &str) -> bool {
        let below = path.strip_prefix(API_PATH);
        let is_api = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.status && (is_api || path.starts_with(PLUGINS_PATH))
    }

    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        if self.listen_addresses.is_empty() {
            return Err(
                Problem::new("no address; write [\"127.0.0.1:8080\"]").at("listen-addresses")
            );
        }
        for address in &self.listen_addresses {
            if let Some(problem) = listen_address::problem(address) {
                return Err(Problem::new(problem).at("listen-addresses"));
            }
        }
        if let Some(url) = &self.external_url {
            external_url::path(url).map_err(|problem| Problem::new(problem).at("external-url"))?;
        }
        if let Some(prefix) = &self.route_prefix
            && let Some(problem) = names::path_problem(prefix)
        {
            return Err(Problem::new(problem).at("route-prefix"));
        }
        for path in &self.auth_exempt_paths {
            if let Some(problem) = names::path_problem(path) {
                return Err(Problem::new(problem).at("auth-exempt-paths"));
            }
        }
        if let Some(problem) = names::path_problem(&self.telemetry_path) {
            return Err(Problem::new(problem).at("telemetry-path"));
        }
        let path = self.telemetry_path.as_str();
        if PAGES.contains(&path) || self.is_status(path) {
            return Err(Problem::new(format!(
                "{:?} is another page of the exporter; write \"/metrics\"",
                self.telemetry_path
            ))
            .at("telemetry-path"));
        }
        if self.max_connections == 0 {
            return Err(Problem::new("must be at least 1; write 512").at("max-connections"));
        }
        if self.max_connections_per_peer == Some(0) {
            return Err(
                Problem::new("must be at least 1; leave it out for the default")
                    .at("max-connections-per-peer"),
            );
        }
        if self.request_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err(
                Problem::new("must be more than zero; leave it out for no limit")
                    .at("request-timeout"),
            );
        }
        for (key, duration) in [
            ("read-timeout", self.read_timeout),
            ("write-timeout", self.write_timeout),
        ] {
            if duration.is_zero() {
                return Err(Problem::new("must be more than zero; write \"10s\"").at(key));
            }
        }
        Ok(())
    }
}

/// A key that is absent means none, so there is no way to write it.
fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    units::duration(deserializer).map(Some)
}
