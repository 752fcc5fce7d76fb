//! What the config accepts, and the exact sentence with which it refuses.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::{error::Error, path::Path, time::Duration};

use super::{
    Config, ConfigError, Grants, LogLevel, PluginConfig, Startup, TextfileConfig, WebConfig,
};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "demo.toml", Path::new("/etc/meterbox"))
}

/// Every sentence begins with the file; the tests leave it out.
#[track_caller]
fn refused(text: &str) -> String {
    let sentence = parse(text).unwrap_err().to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    sentence.strip_prefix("demo.toml:").unwrap().to_owned()
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(parse("").unwrap(), Config::default());
    assert_eq!(parse("[web]\n[plugins]\n").unwrap(), Config::default());
}

#[test]
fn every_key_is_read() {
    let config = parse(
        r#"
        [web]
        listen-addresses = ["127.0.0.1:0", "[::1]:9100"]
        systemd-socket = true
        config-file = "web.yml"
        auth-exempt-paths = ["/-/healthy"]
        external-url = "https://example.org/a/"
        route-prefix = "/b/"
        telemetry-path = "/m"
        status = false
        enable-lifecycle = true
        max-connections = 7
        max-connections-per-peer = 3
        max-requests = 0
        exporter-metrics = false
        created-lines = true
        request-timeout = "3s"
        read-timeout = "250ms"
        write-timeout = "1m"
        shutdown-grace = "0s"

        [plugins.counter]
        source = "counter.wasm"
        prefix = "demo_"
        labels = { zone = "a" }
        timeout = "1h"
        interval = "30s"
        startup = "retry"
        log-level = "debug"
        routes = ["/hello"]
        probe = true
        config = { delete = "true" }
        grants = { meminfo = true }

        [plugins.other]
        source = "/opt/other.wasm"
        "#,
    )
    .unwrap();

    let web = WebConfig {
        listen_addresses: vec!["127.0.0.1:0".into(), "[::1]:9100".into()],
        systemd_socket: true,
        config_file: Some("/etc/meterbox/web.yml".into()),
        auth_exempt_paths: vec!["/-/healthy".into()],
        external_url: Some("https://example.org/a/".into()),
        route_prefix: Some("/b/".into()),
        telemetry_path: "/m".into(),
        status: false,
        enable_lifecycle: true,
        max_connections: 7,
        max_connections_per_peer: Some(3),
        max_requests: 0,
        exporter_metrics: false,
        created_lines: true,
        request_timeout: Some(Duration::from_secs(3)),
        read_timeout: Duration::from_millis(250),
        write_timeout: Duration::from_secs(60),
        shutdown_grace: Duration::ZERO,
    };
    assert_eq!(config.web, web);
    assert_eq!(web.open_paths(), ["/b/-/healthy"]);
    assert_eq!(web.external_path().as_deref(), Some("/a"));
    let counter = PluginConfig::file("/etc/meterbox/counter.wasm")
        .prefix("demo_")
        .label("zone", "a")
        .timeout(Duration::from_secs(3600))
        .interval(Duration::from_secs(30))
        .startup(Startup::Retry)
        .log_level(LogLevel::Debug)
        .route("/hello")
        .probe(true)
        .config("delete", "true")
        .grants(Grants {
            meminfo: true,
            ..Grants::default()
        });
    assert_eq!(config.plugins["counter"], counter);
    assert_eq!(
        config.plugins["other"],
        PluginConfig::file("/opt/other.wasm")
    );
}

#[test]
fn durations_need_a_unit() {
    let text = |timeout| format!("[plugins.counter]\nsource = 'c.wasm'\ntimeout = {timeout}\n");
    assert_eq!(
        refused(&text("'5'")),
        r#"3: plugins.counter.timeout: "5" has no unit; write "5s""#
    );
    assert_eq!(
        refused(&text("5")),
        r#"3: plugins.counter.timeout: 5 has no unit; write "5s""#
    );
    assert_eq!(
        refused(&text("'0s'")),
        r#"3: plugins.counter.timeout: must be more than zero; write "5s""#
    );
    assert_eq!(
        refused(&text("true")),
        r#"3: plugins.counter.timeout: invalid type: boolean `true`, expected a duration like "5s""#
    );
}

#[test]
fn unknown_keys_are_named_with_the_known_ones() {
    assert_eq!(
        refused("[web]\n\nlisten = 'x'\n"),
        "3: web.listen: unknown key `listen`, expected one of `listen-addresses`, `systemd-socket`, `config-file`, \
         `auth-exempt-paths`, `external-url`, `route-prefix`, `telemetry-path`, `status`, `enable-lifecycle`, \
         `max-connections`, `max-connections-per-peer`, `max-requests`, `request-timeout`, `exporter-metrics`, `created-lines`, `read-timeout`, `write-timeout`, `shutdown-grace`"
    );
    assert_eq!(
        refused("[plugins.a]\nsource = 'a'\ngrants = { files = true }\n"),
        "3: plugins.a.grants.files: unknown key `files`, expected one of `meminfo`, `dirs`, `env`, `tcp`, `udp`, `dns`, `http`"
    );
    assert_eq!(
        refused("webb = 1\n"),
        "1: webb: unknown key `webb`; did you mean `web`?"
    );
}

#[test]
fn a_missing_source_is_told() {
    assert_eq!(
        refused("\n[plugins.a]\nprefix = 'a'\n"),
        "2: plugins.a: the key `source` is missing"
    );
    assert_eq!(
        refused("[plugins.a]\nsource = ''\n"),
        "2: plugins.a.source: no file; write the path of a .wasm file"
    );
}

#[test]
fn what_is_not_toml_has_a_line() {
    let sentence = refused("[web]\ntelemetry-path = metrics\n");
    assert!(sentence.starts_with("2: "), "{sentence}");
}

#[test]
fn wrong_types_name_their_key() {
    assert_eq!(
        refused("[plugins.a]\nsource = 'a'\nlabels = { zone = 1 }\n"),
        "3: plugins.a.labels.zone: invalid type: integer `1`, expected a string"
    );
    assert_eq!(
        refused("[plugins.a]\nsource = 'a'\n[plugins.a.labels]\n\nzone = 1\n"),
        "5: plugins.a.labels.zone: invalid type: integer `1`, expected a string"
    );
}

#[test]
fn names_are_checked() {
    assert_eq!(
        refused("[plugins.'a b']\nsource = 'a'\n"),
        "1: plugins.\"a b\": \"a b\" cannot name a plugin; use letters, digits, \"_\" and \"-\", \
         with a letter or a digit first"
    );
    let sentence = refused("[plugins.a]\nsource = 'a'\nprefix = '1_'\n");
    assert!(
        sentence.starts_with(r#"3: plugins.a.prefix: "1_" cannot begin a metric name;"#),
        "{sentence}"
    );
    let sentence = refused("[plugins.a]\nsource = 'a'\n[plugins.a.labels]\nb = ''\n__a = ''\n");
    assert!(
        sentence.starts_with(r#"5: plugins.a.labels.__a: "__a" cannot name a label;"#),
        "{sentence}"
    );
}

#[test]
fn routes_are_paths_and_have_one_owner() {
    let text = |routes: &str| format!("[plugins.b]\nsource = 'b'\nroutes = {routes}\n");
    assert_eq!(
        refused(&text("['hello']")),
        r#"3: plugins.b.routes: "hello" is not a path; write "/hello""#
    );
    for own in ["/", "/metrics", "/probe", "/-/healthy", "/-/ready"] {
        assert_eq!(
            refused(&text(&format!("['{own}']"))),
            format!("3: plugins.b.routes: {own:?} is a page of the exporter; choose another path")
        );
    }
    assert_eq!(
        refused(&text("['/a', '/a']")),
        r#"3: plugins.b.routes: "/a" is listed twice; remove one"#
    );
    let two = "[plugins.a]\nsource = 'a'\nroutes = ['/a']\n".to_owned() + &text("['/b', '/a']");
    assert_eq!(
        refused(&two),
        r#"6: plugins.b.routes: "/a" is already a route of plugins.a; choose another path"#
    );
}

#[test]
fn web_is_checked() {
    for (line, sentence) in [
        (
            "listen-addresses = []",
            r#"listen-addresses: no address; write ["127.0.0.1:8080"]"#,
        ),
        (
            "telemetry-path = 'metrics'",
            r#"telemetry-path: "metrics" is not a path; write "/metrics""#,
        ),
        (
            "telemetry-path = '/'",
            r#"telemetry-path: "/" is another page of the exporter; write "/metrics""#,
        ),
        (
            "max-connections = 0",
            "max-connections: must be at least 1; write 512",
        ),
        (
            "max-connections-per-peer = 0",
            "max-connections-per-peer: must be at least 1; leave it out for the default",
        ),
        (
            "request-timeout = '0s'",
            "request-timeout: must be more than zero; leave it out for no limit",
        ),
        (
            "read-timeout = '0s'",
            r#"read-timeout: must be more than zero; write "10s""#,
        ),
    ] {
        assert_eq!(
            refused(&format!("[web]\n{line}\n")),
            format!("2: web.{sentence}")
        );
    }
}

#[test]
fn plugins_can_be_added_by_path() {
    let mut config = Config::default();
    config.add_plugin_file("plugins/counter.wasm").unwrap();
    assert_eq!(
        config.plugins["counter"],
        PluginConfig::file("plugins/counter.wasm")
    );
    assert_eq!(
        config
            .add_plugin_file("counter.wasm")
            .unwrap_err()
            .to_string(),
        r#"plugins.counter: the name is taken by "plugins/counter.wasm"; give one of the two another name"#
    );
    let sentence = config
        .add_plugin_file("my plugin.wasm")
        .unwrap_err()
        .to_string();
    assert!(
        sentence.starts_with(r#"plugins."my plugin": "my plugin" cannot name a plugin"#),
        "{sentence}"
    );
}

#[test]
fn code_is_checked_like_a_file() {
    let mut config = Config::default();
    config.web.telemetry_path = "/-/ready".into();
    assert_eq!(
        config.check().unwrap_err().to_string(),
        r#"web.telemetry-path: "/-/ready" is another page of the exporter; write "/metrics""#
    );
}

#[test]
fn an_unreadable_file_keeps_its_cause() {
    let error = Config::load("no/such.toml").unwrap_err();
    assert_eq!(error.to_string(), "no/such.toml: cannot be read");
    assert!(error.source().is_some());
}

#[test]
fn textfile_has_folders_and_a_bound() {
    let parse = |text: &str| Config::parse(text, "a.toml", "/etc/meterbox".as_ref());
    let config = parse("[textfile]\ndirectory = 'textfile'\n").expect("good");
    let wanted = TextfileConfig::directory("/etc/meterbox/textfile");
    assert_eq!(wanted.max_file_size, 16 << 20);
    assert_eq!(config.textfile, Some(wanted));
    let config = parse("[textfile]\ndirectory = ['/a', 'b/*']\nmax-file-size = '1KiB'\n");
    let wanted = TextfileConfig {
        directory: vec!["/a".into(), "/etc/meterbox/b/*".into()],
        max_file_size: 1024,
    };
    assert_eq!(config.expect("good").textfile, Some(wanted));
    for (text, sentence) in [
        (
            "[textfile]\n",
            "1: textfile: the key `directory` is missing",
        ),
        (
            "[textfile]\ndirectory = ['/a', '']\n",
            "2: textfile.directory: no folder; write the path of one with .prom files",
        ),
        (
            "[textfile]\ndirectory = 5\n",
            "2: textfile.directory: invalid type: integer `5`, expected a folder or a list of folders",
        ),
        (
            "[textfile]\ndirectory = '/a'\nmax-file-size = 5\n",
            "3: textfile.max-file-size: 5 has no unit; write \"5B\"",
        ),
        (
            "[textfile]\ndirectory = '/a'\nmax-file-size = '0B'\n",
            "3: textfile.max-file-size: must be more than zero; write \"16MiB\"",
        ),
        (
            "[textfile]\ndirectory = '/a'\n\n[plugins.textfile]\nsource = 'a.wasm'\n",
            "4: plugins.textfile: the name is taken by [textfile]; give the plugin another one",
        ),
    ] {
        assert_eq!(refused(text), sentence);
    }
}

#[test]
fn limits_are_layered_and_say_what_they_want() {
    let config = parse(
        "[limits]\nmemory = '32MiB'\ncpu = '1s'\n[plugins.a]\nsource = 'a.wasm'\ntimeout = '3s'\n\
         limits = { memory = '8MiB', timeout = '4s', series = 5 }\n[plugins.b]\nsource = 'b.wasm'\n",
    )
    .unwrap();
    let limits = |name: &str| config.limits_of(&config.plugins[name]);
    assert_eq!((limits("a").memory, limits("a").series), (8 << 20, 5));
    assert_eq!(limits("a").cpu, Duration::from_secs(1));
    // The short form goes before the long one.
    assert_eq!(limits("a").timeout, Duration::from_secs(3));
    assert_eq!(limits("b").memory, 32 << 20);
    assert_eq!(limits("b").timeout, Duration::from_secs(5));

    for (text, sentence) in [
        (
            "[limits]\nmemory = 64\n",
            r#"2: limits.memory: 64 has no unit; write "64B""#,
        ),
        (
            "[limits]\nmemory = '64MB'\n",
            r#"2: limits.memory: "64MB" is not a size; write a whole number and a unit (B, KiB, MiB, GiB), like "16MiB""#,
        ),
        (
            "[limits]\nseries = -1\n",
            "2: limits.series: -1 is less than 0; write a whole number",
        ),
        (
            "[limits]\ncpu = '0s'\n",
            "2: limits.cpu: must be more than zero",
        ),
        (
            "[limits]\nstack = '1KiB'\n",
            r#"2: limits.stack: too little for any plugin; write "64KiB" or more"#,
        ),
        (
            "[plugins.a]\nsource = 'a.wasm'\nlimits = { stack = '1MiB' }\n",
            "3: plugins.a.limits.stack: one value serves all plugins; write it under [limits]",
        ),
    ] {
        assert_eq!(refused(text), sentence);
    }
}
