//! `meterbox serve`: config → host → sockets → serve, until a signal; a second one ends it at once.

use std::{env, ffi::OsString, future::pending, io, path::PathBuf, time::Duration};

use anyhow::Context;
use meterbox::{
    Host,
    compile::Compiler,
    config::{Config, ConfigError, WebConfig, parse_duration},
    front::{Front, Guarded},
    serve::{BindError, Limits, Listener, bind, serve, systemd},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::{args::LogArgs, logging};

/// Serve the metrics of all plugins until SIGTERM or SIGINT
///
/// Flags override the config file. With neither a file nor a plugin, the exporter serves its own metrics only.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Read this config file (TOML)
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Reload when the config, what it includes or a plugin's file changes; SIGHUP reloads in any case
    #[arg(long = "config.auto-reload")]
    auto_reload: bool,
    /// Look for changes so often [default: 30s]
    #[arg(long = "config.auto-reload-interval", value_name = "DURATION", value_parser = parse_duration)]
    auto_reload_interval: Option<Duration>,
    /// Add a plugin with default settings, named after its file; repeatable
    #[arg(long = "plugin", value_name = "FILE.wasm")]
    plugins: Vec<PathBuf>,
    /// Listen here, or on unix:///PATH; repeatable; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long = "web.listen-address", value_name = "HOST:PORT")]
    listen_addresses: Vec<String>,
    /// Listen on the sockets of systemd instead
    #[arg(long = "web.systemd-socket", conflicts_with = "listen_addresses")]
    systemd_socket: bool,
    /// Take TLS, users, headers and the rate limit from this file (YAML, as for all exporters of Prometheus)
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
    /// The URL, or its path alone, under which a reverse proxy shows the exporter
    #[arg(long = "web.external-url", value_name = "URL")]
    external_url: Option<String>,
    /// Put this before all paths [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    route_prefix: Option<String>,
    /// Serve the metrics at this path [default: /metrics]
    #[arg(long = "web.telemetry-path", value_name = "PATH")]
    telemetry_path: Option<String>,
    /// Leave out the metrics about the exporter itself, but for whether plugins are up and how their collects go
    #[arg(long = "web.disable-exporter-metrics")]
    disable_exporter_metrics: bool,
    /// Let POST and PUT requests to /-/reload reload the config
    #[arg(long = "web.enable-lifecycle")]
    enable_lifecycle: bool,
    /// Answer this many requests for metrics at one time, and more with 503; 0 means no limit [default: 40]
    #[arg(long = "web.max-requests", value_name = "N")]
    max_requests: Option<usize>,
    /// Keep plugins, pulled and compiled, in this folder; empty: nowhere [default: $STATE_DIRECTORY, $XDG_STATE_HOME/meterbox,
    /// ~/.local/state/meterbox]
    #[arg(long = "state.directory", value_name = "DIR")]
    state_directory: Option<OsString>,
    #[command(flatten)]
    log: LogArgs,
}

impl Args {
    /// The config file as overridden by the flags, checked.
    fn config(&self) -> Result<Config, ConfigError> {
        let mut config = match &self.config_file {
            Some(path) => Config::load(path)?,
            None => Config::default(),
        };
        for path in &self.plugins {
            config.add_plugin_file(path)?;
        }
        if !self.listen_addresses.is_empty() {
            config
                .web
                .listen_addresses
                .clone_from(&self.listen_addresses);
        }
        config.web.systemd_socket |= self.systemd_socket;
        if let Some(path) = &self.web_config_file {
            // As for the toolkit, no name means no file.
            config.web.config_file = Some(path.clone()).filter(|path| !path.as_os_str().is_empty());
        }
        if let Some(url) = &self.external_url {
            config.web.external_url = Some(url.clone()).filter(|url| !url.is_empty());
        }
        if let Some(prefix) = &self.route_prefix {
            config.web.route_prefix = Some(prefix.clone()).filter(|prefix| !prefix.is_empty());
        }
        if let Some(path) = &self.telemetry_path {
            config.web.telemetry_path.clone_from(path);
        }
        config.web.exporter_metrics &= !self.disable_exporter_metrics;
        config.web.enable_lifecycle |= self.enable_lifecycle;
        if let Some(most) = self.max_requests {
            config.web.max_requests = most;
        }
        set_state(&mut config, self.state_directory.clone());
        config.check()?;
        Ok(config)
    }
}

/// Decides where state is kept: where the flag says, else the config, else where it goes by itself.
pub(super) fn set_state(config: &mut Config, flag: Option<OsString>) {
    if let Some(directory) = flag
        .map(PathBuf::from)
        .or_else(|| config.state.directory.take())
        .or_else(|| default_state(|name| env::var_os(name)))
    {
        config.state.directory = Some(directory).filter(|path| !path.as_os_str().is_empty());
    }
}

/// Where state goes by itself: where systemd says, else where people keep theirs.
fn default_state(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| {
        let path = variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    // systemd joins several by colons; the first is as good as any.
    let systemd = variable("STATE_DIRECTORY").and_then(|all| env::split_paths(&all).next());
    systemd
        .filter(|path| path.is_absolute())
        .or_else(|| Some(absolute("XDG_STATE_HOME")?.join("meterbox")))
        .or_else(|| Some(absolute("HOME")?.join(".local/state/meterbox")))
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    // Before anything that takes time. The first process of a container gets no signal that it does not watch for, and
    // would go on with its start.
    let signals = {
        let _inside = runtime.enter();
        Signals::watch().context("cannot watch for signals")?
    };
    let config = args.config()?;
    logging::start(&args.log)?;
    if config.plugins.is_empty() {
        tracing::warn!(
            "no plugin is configured: only the metrics of the exporter itself are served"
        );
    }
    let ended = runtime.block_on(until_stopped(args, &config, signals));
    // Whatever still computes for a request that was cut off has nobody left to tell.
    runtime.shutdown_background();
    ended
}

async fn until_stopped(args: &Args, config: &Config, signals: Signals) -> anyhow::Result<()> {
    match &config.state.directory {
        Some(folder) => tracing::info!(folder = %folder.display(), "compiled plugins are kept"),
        None => tracing::info!("compiled plugins are not kept: no state directory is set"),
    }
    let (mut stop, hangup) = signals.split();
    let web = &config.web;
    let front = web.config_file.as_ref().map(Front::open).transpose()?;
    let compiler = Compiler::this_program(["compile"]);
    let again = args.clone();
    let start = Host::builder()
        .config(config.clone())
        .compiler(compiler)
        .reload_from(move || again.config())
        .start();
    let host = tokio::select! {
        biased;
        () = stop.signalled("giving up the start") => return Ok(()),
        host = start => host?,
    };
    let listeners = listen(web, front.as_ref()).await?;
    let service = Guarded::new(host.service(), front, web.open_paths());
    let (drain, draining) = oneshot::channel();
    let draining = async {
        let _ = draining.await;
    };
    let serving = serve(listeners, service, Limits::from(web), draining);
    let stopping = async {
        stop.signalled("stopping").await;
        host.shutdown();
        // Nobody listens only if the server has ended.
        let _ = drain.send(());
        stop.signalled("cutting off the requests that are left")
            .await;
    };
    tokio::select! {
        () = serving => {}
        () = stopping => {}
        () = reload_when_told(&host, hangup) => {}
        () = reload_when_changed(&host, args) => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// All sockets that the config asks for, with TLS if the web config file has a certificate.
async fn listen(web: &WebConfig, front: Option<&Front>) -> Result<Vec<Listener>, BindError> {
    let listeners = if web.systemd_socket {
        systemd()?
    } else {
        bind(&web.listen_addresses).await?
    };
    let secured = |listener: Listener| match front {
        Some(front) => listener.secured(front),
        None => listener,
    };
    let (tls, http2) = front.map_or((false, false), |front| (front.is_tls(), front.is_http2()));
    let listeners: Vec<_> = listeners.into_iter().map(secured).collect();
    for address in &listeners {
        tracing::info!(%address, tls, http2, "listening");
    }
    Ok(listeners)
}

/// At every SIGHUP. What comes of it is logged there.
async fn reload_when_told(host: &Host, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        tracing::info!(signal = "SIGHUP", "reloading");
        let _ = host.reload().await;
    }
    pending::<()>().await;
}

async fn reload_when_changed(host: &Host, args: &Args) {
    if args.auto_reload {
        let every = args.auto_reload_interval.unwrap_or(AUTO_RELOAD_INTERVAL);
        tracing::info!(?every, "watching the files of the config");
        host.watch(every).await;
    }
    pending::<()>().await;
}

/// Prometheus's default.
const AUTO_RELOAD_INTERVAL: Duration = Duration::from_secs(30);

/// SIGTERM, SIGINT and SIGHUP, from the call of `watch` on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What ends the program.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    fn split(self) -> (Ends, Signal) {
        let Self {
            terminate,
            interrupt,
            hangup,
        } = self;
        let ends = Ends {
            terminate,
            interrupt,
        };
        (ends, hangup)
    }
}

impl Ends {
    /// Completes at the next signal, and logs what comes of it.
    async fn signalled(&mut self, consequence: &str) {
        let name = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "{consequence}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::args::{self, Command};

    fn parse(flags: &[&str]) -> Args {
        let line = ["meterbox", "serve"].iter().chain(flags);
        let Command::Serve(args) = args::Args::try_parse_from(line).unwrap().command else {
            panic!("another command");
        };
        *args
    }

    #[test]
    fn no_flags_mean_the_default() {
        let config = parse(&["--state.directory="]).config().unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn flags_override_the_file() {
        let folder = env::temp_dir().join(format!("meterbox-args-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("demo.toml");
        let text = "[web]\nlisten-addresses = ['127.0.0.1:1']\ntelemetry-path = '/file'\n\
                    [plugins.counter]\nsource = 'counter.wasm'\n";
        fs::write(&file, text).unwrap();

        let file_flag = ["--config.file", file.to_str().unwrap()];
        let more = [
            "--plugin",
            "other.wasm",
            "--web.listen-address=:2",
            "--web.listen-address=:3",
            "--web.max-requests=0",
        ];
        let config = parse(&[&file_flag[..], &more].concat()).config().unwrap();
        assert_eq!(config.web.listen_addresses, [":2", ":3"]);
        assert_eq!(config.web.telemetry_path, "/file");
        assert_eq!(config.web.max_requests, 0);
        assert_eq!(
            config.plugins["counter"].source,
            folder.join("counter.wasm").into()
        );
        assert_eq!(
            config.plugins["other"].source,
            PathBuf::from("other.wasm").into()
        );

        let taken = parse(&[&file_flag[..], &["--plugin", "counter.wasm"]].concat());
        assert!(
            taken
                .config()
                .unwrap_err()
                .to_string()
                .contains("the name is taken")
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn state_is_where_the_system_says() {
        let state = |variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
            default_state(|name| Some(find(name)?.1.into())).map(|path| path.display().to_string())
        };
        let home = ("HOME", "/home/x");
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[("HOME", "")]), None);
        assert_eq!(state(&[home]).unwrap(), "/home/x/.local/state/meterbox");
        let xdg = ("XDG_STATE_HOME", "/x");
        assert_eq!(state(&[home, xdg]).unwrap(), "/x/meterbox");
        let systemd = ("STATE_DIRECTORY", "/var/lib/meterbox:/var/lib/other");
        assert_eq!(state(&[home, xdg, systemd]).unwrap(), "/var/lib/meterbox");
    }

    #[test]
    fn flags_are_checked_like_the_file() {
        let error = parse(&["--web.telemetry-path", "metrics"])
            .config()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"web.telemetry-path: "metrics" is not a path; write "/metrics""#
        );
    }
}
