//! The whole exporter inside another program: its pages, bounds and graceful end, without its command line.
//!
//! ```text
//! make guests
//! cargo run --release -p meterbox --example hyper_service -- 127.0.0.1:8080
//! curl 127.0.0.1:8080/ 127.0.0.1:8080/metrics
//! ```

use std::{env, error::Error, time::Duration};

use meterbox::{
    Host,
    config::PluginConfig,
    serve::{Limits, bind, serve},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:8080".to_owned());
    let host = Host::builder()
        .plugin("counter", PluginConfig::file("target/plugins/counter.wasm"))
        .start()
        .await?;

    let limits = Limits {
        max_connections: 64,
        shutdown_grace: Duration::from_secs(2),
        ..Limits::default()
    };
    // The service is a tower service: layers of the program's own (tracing, authentication) can be put around it.
    serve(bind(&[address]).await?, host.service(), limits, async {
        let _ = tokio::signal::ctrl_c().await;
    })
    .await;
    host.shutdown();
    Ok(())
}
