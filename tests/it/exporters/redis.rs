//! The plugin `redis` with a real Redis, beside redis_exporter.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Instant,
};

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, judges, until};

use super::{Server, counters_lie_between, same_heads, same_value};

/// Families of later versions of redis_exporter than the judge's.
const NEWER: [&str; 2] = ["redis_errors_total", "redis_max_clients"];

/// What redis_exporter asks by other commands than INFO, and what it tells of itself.
const LEFT_OUT: [&str; 14] = [
    "redis_config_io_threads",
    "redis_config_maxclients",
    "redis_config_maxmemory",
    "redis_exporter_build_info",
    "redis_exporter_last_scrape_connect_time_seconds",
    "redis_exporter_last_scrape_duration_seconds",
    "redis_exporter_scrape_duration_seconds",
    "redis_exporter_scrapes_total",
    "redis_last_key_groups_scrape_duration_milliseconds",
    "redis_last_slow_execution_duration_seconds",
    "redis_latency_percentiles_usec",
    "redis_slowlog_last_id",
    "redis_slowlog_length",
    "redis_target_scrape_request_errors_total",
];

/// Gauges that stand still while nobody does anything.
const FIXED: [&str; 16] = [
    "redis_aof_enabled",
    "redis_blocked_clients",
    "redis_cluster_enabled",
    "redis_connected_slaves",
    "redis_loading_dump_file",
    "redis_memory_max_bytes",
    "redis_memory_used_startup_bytes",
    "redis_process_id",
    "redis_pubsub_channels",
    "redis_rdb_bgsave_in_progress",
    "redis_rdb_changes_since_last_save",
    "redis_rdb_last_bgsave_status",
    "redis_rdb_last_save_timestamp_seconds",
    "redis_replica_resyncs_full",
    "redis_replication_backlog_bytes",
    "redis_up",
];

fn command(program: &Path, dir: &Path, port: u16, more: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", ""]);
    command.args(["--port", &port.to_string()]);
    command.arg("--dir").arg(dir).args(more);
    command
}

fn exporter(program: &Path, redis: SocketAddr, password: &str) -> Result<Server> {
    Server::start(|_, port| {
        let mut command = Command::new(program);
        command.args(["-redis.addr", &format!("redis://{redis}")]);
        command.args(["-redis.password", password]);
        command.args(["-web.listen-address", &format!("127.0.0.1:{port}")]);
        Ok(command)
    })
}

fn plugin(address: SocketAddr, config: &str) -> Meterbox {
    let peer = address.to_string();
    let keys =
        format!("config = {{ address = {peer:?}, {config} }}\ngrants = {{ tcp = [{peer:?}] }}");
    Meterbox::with("redis", "redis", &keys)
}

/// Says these commands, each answered with one line.
fn say(redis: SocketAddr, commands: &[&str]) -> Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(redis)?);
    for command in commands {
        stream
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_line(&mut answer)?;
        ensure!(!answer.starts_with('-'), "{command}: {answer}");
    }
    Ok(())
}

#[test]
fn figures_are_rediss_own() -> Result<()> {
    let (Some(redis), Some(judge)) = (
        judges::find("redis-server")?,
        judges::find("redis_exporter")?,
    ) else {
        return Ok(());
    };
    let secret = ["--requirepass", "s3cret"];
    let server = Server::start(|dir, port| Ok(command(&redis, dir, port, &secret)))?;
    let judge = exporter(&judge, server.address, "s3cret")?;
    let commands = [
        "AUTH s3cret",
        "SET a 1",
        "SET b 2 EX 100000",
        "GET a",
        "GET a",
        "SELECT 3",
        "SET c 3",
    ];
    say(server.address, &commands)?;
    let host = plugin(server.address, "password = \"s3cret\"").start()?;
    // Whoever asks first asks without what the other's connections change.
    judge.page()?;
    host.scrape()?;
    let before = judge.page()?;
    let ours = host.scrape()?;
    let after = judge.page()?;
    let families = same_heads(&ours, &after, "redis_", &NEWER, &LEFT_OUT)?;
    ensure!(families > 80, "only {families} families");
    let compared = counters_lie_between(&before, &ours, &after, "redis_")?;
    ensure!(compared > 40, "only {compared} counters");
    for name in FIXED {
        same_value(&ours, &after, name, &[])?;
    }
    for (name, db, wanted) in [
        ("redis_db_keys", "db0", 2.0),
        ("redis_db_keys_expiring", "db0", 1.0),
        ("redis_db_keys", "db3", 1.0),
        ("redis_db_keys", "db15", 0.0),
    ] {
        assert_eq!(ours.number(name, &[("db", db)])?, wanted, "{name} {db}");
        same_value(&ours, &after, name, &[("db", db)])?;
    }
    assert_eq!(ours.number("redis_commands_total", &[("cmd", "set")])?, 3.0);
    assert_eq!(ours.number("redis_keyspace_hits_total", &[])?, 2.0);
    let info = |page: &meterbox_tests::Page| -> Result<_> {
        Ok(page.family("redis_instance_info")?.samples[0]
            .labels
            .clone())
    };
    assert_eq!(info(&ours)?, info(&after)?);
    let started = |page: &meterbox_tests::Page| page.number("redis_start_time_seconds", &[]);
    // Both subtract whole seconds.
    ensure!((started(&ours)? - started(&after)?).abs() <= 1.0);
    ensure!(host.log().iter().all(|line| !line.contains("s3cret")));
    Ok(())
}

#[test]
fn a_master_and_its_replica() -> Result<()> {
    let (Some(redis), Some(judge)) = (
        judges::find("redis-server")?,
        judges::find("redis_exporter")?,
    ) else {
        return Ok(());
    };
    let quick = ["--repl-diskless-sync-delay", "0"];
    let master = Server::start(|dir, port| Ok(command(&redis, dir, port, &quick)))?;
    let of = format!("127.0.0.1 {}", master.address.port());
    let replica = Server::start(|dir, port| Ok(command(&redis, dir, port, &["--replicaof", &of])))?;
    let host = plugin(replica.address, "").start()?;
    let port = master.address.port().to_string();
    let labels = [("master_host", "127.0.0.1"), ("master_port", &*port)];
    host.scrape_until(|page| {
        ensure!(page.number("redis_master_link_up", &labels)? == 1.0);
        ensure!(page.number("redis_slave_repl_offset", &labels)? >= 0.0);
        Ok(())
    })?;
    let judge = exporter(&judge, replica.address, "")?;
    same_heads(&host.scrape()?, &judge.page()?, "redis_", &NEWER, &LEFT_OUT)?;
    let host = plugin(master.address, "").start()?;
    host.scrape_until(|page| {
        let replicas = &page.family("redis_connected_slave_offset_bytes")?.samples;
        ensure!(replicas.len() == 1, "{replicas:?}");
        let labels = ["slave_ip", "slave_port", "slave_state"].map(|it| replicas[0].label(it));
        let port = replica.address.port().to_string();
        ensure!(labels == ["127.0.0.1", &*port, "online"], "{labels:?}");
        Ok(())
    })
}

#[test]
fn redis_that_is_down_or_refuses_is_no_error() -> Result<()> {
    let Some(redis) = judges::find("redis-server")? else {
        return Ok(());
    };
    let secret = ["--requirepass", "s3cret"];
    let server = Server::start(|dir, port| Ok(command(&redis, dir, port, &secret)))?;
    for (config, word) in [
        ("", "Set config.password"),
        ("password = \"wr0ng\"", "WRONGPASS"),
        ("username = \"nobody\", password = \"wr0ng\"", "WRONGPASS"),
    ] {
        let host = plugin(server.address, config).start()?;
        let page = host.scrape()?;
        assert_eq!(page.printed("redis_up", &[]), "0");
        let error = &page.family("redis_exporter_last_scrape_error")?.samples[0];
        assert_eq!(error.printed, "1");
        ensure!(error.label("err").contains(word), "{}", error.label("err"));
        host.logged(&["Redis is not up", word])?;
        ensure!(host.log().iter().all(|line| !line.contains("wr0ng")));
    }
    let host = plugin(
        server.address,
        "password = \"s3cret\", username = \"default\"",
    )
    .start()?;
    assert_eq!(host.scrape()?.printed("redis_up", &[]), "1");
    drop(server);
    let page = host.scrape()?;
    assert_eq!(page.printed("redis_up", &[]), "0");
    ensure!(page.value("redis_connected_clients", &[]).is_none());
    host.logged(&["Redis is not up", "connection refused"])?;
    Ok(())
}

/// A peer that never answers costs its timeout, not the plugin's instance.
#[test]
fn a_peer_that_says_nothing_is_given_up() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let host = plugin(listener.local_addr()?, "timeout-seconds = \"0.2\"").start()?;
    let started = Instant::now();
    assert_eq!(host.scrape()?.printed("redis_up", &[]), "0");
    ensure!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    host.logged(&["Redis is not up", "no answer within 200ms"])?;

    // One that is no Redis is told, too.
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 10]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    until(PATIENCE, || {
        host.scrape()?;
        host.logged(&["Redis is not up", "does not speak Redis"])
    })?;
    let page = host.scrape()?;
    let restarts = page.number("meterbox_plugin_restarts_total", &[("plugin", "redis")])?;
    assert_eq!(restarts, 0.0);
    Ok(())
}

#[test]
fn without_the_grant_it_says_what_to_write() -> Result<()> {
    let refusal = Meterbox::with("redis", "redis", "").refused()?;
    let line = "tcp = [\"127.0.0.1:6379\"]   # asks Redis for its INFO";
    refusal.expect(78, &[line])?;
    let refusal = Meterbox::with(
        "redis",
        "redis",
        "config = { username = \"me\" }\ngrants = { tcp = [\"127.0.0.1:6379\"] }",
    )
    .refused()?;
    refusal.expect(78, &["username is set without config password"])?;
    Ok(())
}
