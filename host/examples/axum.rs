//! A service that has its own routes and metrics, with plugins beside them on one page.
//!
//! ```text
//! make guests
//! cargo run --release -p meterbox --example axum -- 127.0.0.1:8080
//! curl 127.0.0.1:8080/greet 127.0.0.1:8080/plugins/hello 127.0.0.1:8080/metrics
//! ```

use std::{env, error::Error};

use axum::{Router, routing::get};
use meterbox::{Host, config::PluginConfig};
use prometheus::{IntCounter, Registry};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:8080".to_owned());

    // The program's own metrics, as it always had them.
    let registry = Registry::new();
    let greetings = IntCounter::new("greetings_total", "Greetings that were sent.")?;
    registry.register(Box::new(greetings.clone()))?;

    // The plugins join the same page; they cannot change a series of the program.
    let host = Host::builder()
        .registry(registry)
        .plugin(
            "counter",
            PluginConfig::file("target/plugins/counter.wasm").route("/hello"),
        )
        .start()
        .await?;

    let greet = async move || {
        greetings.inc();
        "Good day.\n"
    };
    let router = Router::new()
        .route("/greet", get(greet))
        .route_service("/metrics", host.metrics_service())
        // Everything else that the exporter serves, below a prefix: its landing page, health and plugin routes.
        .nest_service("/plugins", host.service());

    axum::serve(TcpListener::bind(address).await?, router)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    host.shutdown();
    Ok(())
}
