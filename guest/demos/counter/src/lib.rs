//! A counter that HTTP requests and a schedule feed: one for each greeting, five more every second.

use meterbox_plugin::prelude::*;

struct Hello {
    hellos: Counter,
}

impl Collector for Hello {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            hellos: registry.counter("ep1_counter", "ep1 hello counter metric."),
        })
    }
}

impl Schedule for Hello {
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn tick(&mut self) -> Result<()> {
        self.hellos.inc_by(5.0);
        Ok(())
    }
}

impl HttpHandler for Hello {
    fn handle(&mut self, request: Request) -> Result<Response> {
        if request.method != "GET" {
            return Ok(Response::text("Method Not Allowed\n")
                .status(405)
                .header("allow", "GET"));
        }
        self.hellos.inc();
        Ok(Response::text("Hello from Prometheus Exporter!"))
    }
}

meterbox_plugin::export!(Hello: Collector, Schedule, HttpHandler);
