//! The axum example: one page with the program's own metrics and the plugins'.

use std::{net::TcpListener, process::Command};

use anyhow::{Result, ensure};
use meterbox_tests::{Client, PATIENCE, Page, Process, files, until};

#[test]
fn axum_serves_both_on_one_page() -> Result<()> {
    // It says nothing about where it listens, so the port is chosen here.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let _process = Process::start(
        Command::new(files::example("axum")?)
            .current_dir(files::root())
            .arg(address.to_string()),
    )?;
    let client = Client::new(address);
    until(PATIENCE, || client.get("/metrics"))?;

    // Routes of the program, and of a plugin below a prefix.
    for _ in 0..2 {
        assert_eq!(client.get("/greet")?.text()?, "Good day.\n");
    }
    assert_eq!(
        client.get("/plugins/hello")?.text()?,
        "Hello from Prometheus Exporter!"
    );

    // The exporter's own pages work below that prefix as well.
    let links = client.get("/plugins/")?.links("/plugins/")?;
    ensure!(
        links.contains(&"/plugins/hello".to_owned()),
        "no route among {links:?}"
    );
    for link in links {
        assert_eq!(client.get(&link)?.status, 200, "{link}");
    }

    until(PATIENCE, || {
        let page = Page::parse(&client.get("/metrics")?.text()?)?;
        page.expect("greetings_total", "counter", "Greetings that were sent.")?;
        assert_eq!(page.value("greetings_total", &[]), Some(2.0));
        page.expect("ep1_counter", "counter", "ep1 hello counter metric.")?;
        let hellos = page.number("ep1_counter", &[])? % 5.0;
        ensure!(
            hellos == 2.0,
            "{hellos} hellos, not one here and one by a link"
        );
        assert_eq!(
            page.value("meterbox_plugin_up", &[("plugin", "counter")]),
            Some(1.0)
        );
        page.family("process_cpu_seconds_total").map(drop)
    })
}
