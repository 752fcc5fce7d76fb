//! The plugin `nginx` with a real nginx, beside nginx-prometheus-exporter.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, Meterbox, judges};

use super::{Server, counters_lie_between, same_heads};

fn command(program: &Path, dir: &Path, port: u16) -> Result<Command> {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {name};"));
    let config = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}\n\
         http {{ access_log off; {} server {{ listen 127.0.0.1:{port};\n\
         location = /stub_status {{ stub_status; }} location / {{ return 200 hello; }} }} }}",
        temporary.join(" ")
    );
    fs::write(dir.join("nginx.conf"), config)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(dir);
    command.args(["-c", "nginx.conf", "-e", "stderr"]);
    Ok(command)
}

fn plugin(address: SocketAddr, path: &str) -> Meterbox {
    let uri = format!("http://{address}{path}");
    let keys = format!("config = {{ scrape-uri = {uri:?} }}\ngrants = {{ http = [{uri:?}] }}");
    Meterbox::with("nginx", "nginx", &keys)
}

#[test]
fn figures_are_nginxs_own() -> Result<()> {
    let (Some(nginx), Some(exporter)) = (judges::find("nginx")?, judges::find("nginx_exporter")?)
    else {
        return Ok(());
    };
    let server = Server::start(|dir, port| command(&nginx, dir, port))?;
    let judge = Server::start(|_, port| {
        let mut command = Command::new(&exporter);
        let uri = format!("http://{}/stub_status", server.address);
        command.args(["-nginx.scrape-uri", &uri]);
        command.args(["-web.listen-address", &format!("127.0.0.1:{port}")]);
        Ok(command)
    })?;
    let host = plugin(server.address, "/stub_status").start()?;
    for _ in 0..5 {
        ensure!(Client::new(server.address).get("/")?.status == 200);
    }
    let before = judge.page()?;
    let ours = host.scrape()?;
    let after = judge.page()?;
    let only_theirs = ["nginxexporter_build_info"];
    assert_eq!(same_heads(&ours, &after, "nginx", &[], &only_theirs)?, 8);
    assert_eq!(counters_lie_between(&before, &ours, &after, "nginx_")?, 3);
    assert_eq!(ours.printed("nginx_up", &[]), "1");
    ensure!(ours.number("nginx_http_requests_total", &[])? >= 7.0);
    // Nobody else asks just now.
    assert_eq!(ours.printed("nginx_connections_writing", &[]), "1");
    let of = |state: &str| ours.number(&format!("nginx_connections_{state}"), &[]);
    assert_eq!(
        of("active")?,
        of("reading")? + of("writing")? + of("waiting")?
    );
    Ok(())
}

#[test]
fn nginx_that_is_down_is_no_error() -> Result<()> {
    let Some(nginx) = judges::find("nginx")? else {
        return Ok(());
    };
    let server = Server::start(|dir, port| command(&nginx, dir, port))?;
    let host = plugin(server.address, "/stub_status").start()?;
    assert_eq!(host.scrape()?.printed("nginx_up", &[]), "1");
    let address = server.address;
    drop(server);
    for _ in 0..2 {
        let page = host.scrape()?;
        assert_eq!(page.printed("nginx_up", &[]), "0");
        ensure!(page.value("nginx_connections_active", &[]).is_none());
        let ok = page.number("meterbox_plugin_collect_success", &[("plugin", "nginx")])?;
        assert_eq!(ok, 1.0);
    }
    let told = host.logged(&["nginx is not up", "connection refused"])?;
    assert_eq!(told, 1, "each reason is told once");
    let _server = Server::start_at(address, |dir, port| command(&nginx, dir, port))?;
    assert_eq!(host.scrape()?.printed("nginx_up", &[]), "1");
    Ok(())
}

#[test]
fn another_page_is_told() -> Result<()> {
    let Some(nginx) = judges::find("nginx")? else {
        return Ok(());
    };
    let server = Server::start(|dir, port| command(&nginx, dir, port))?;
    let host = plugin(server.address, "/elsewhere").start()?;
    assert_eq!(host.scrape()?.printed("nginx_up", &[]), "0");
    host.logged(&["nginx is not up", "no page of stub_status", "hello"])?;
    Ok(())
}

#[test]
fn without_the_grant_it_says_what_to_write() -> Result<()> {
    let refusal = Meterbox::with("nginx", "nginx", "").refused()?;
    let line = "http = [\"http://127.0.0.1:8080/stub_status\"]";
    refusal.expect(78, &[line, "# reads nginx's stub_status page"])?;
    let with_line = format!("[plugins.nginx.grants]\n{line}");
    let host = Meterbox::with("nginx", "nginx", &with_line).start()?;
    host.scrape()?.family("nginx_up").context("it started")?;
    Ok(())
}
