//! What a client library of its own would write, and what it should not: the config says which.

use meterbox_plugin::{config, prelude::*};

struct Text {
    calls: u64,
    collects: Counter,
}

impl Collector for Text {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            calls: 0,
            collects: registry.counter("described_total", "Counted by an instrument."),
        })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        self.collects.inc();
        Ok(())
    }
}

impl TextCollector for Text {
    fn collect_text(&mut self) -> Result<String> {
        self.calls += 1;
        let calls = self.calls;
        Ok(match config::get("say").as_deref() {
            None => format!("{LIBRARY}text_calls_total {calls}.0\n"),
            Some("openmetrics") => OPENMETRICS.to_owned(),
            Some("clash") => format!("{LIBRARY}text_calls_total {calls}.0\ndescribed_total 7\n"),
            Some("broken once") if calls == 2 => "good 1\nbad{x=\"1} 1\n".to_owned(),
            Some("broken once") => format!("good {calls}\n"),
            Some("error") => return Err("no text today".into()),
            Some(text) => text.to_owned(),
        })
    }
}

/// As Python's prometheus_client writes it.
const LIBRARY: &str = "\
# HELP text_requests_total Requests.
# TYPE text_requests_total counter
text_requests_total{code=\"200\"} 3.0
text_requests_total{code=\"404\"} 1.0
# HELP text_requests_created Requests.
# TYPE text_requests_created gauge
text_requests_created{code=\"200\"} 1.7e+09
# HELP text_latency_seconds Latency.
# TYPE text_latency_seconds histogram
text_latency_seconds_bucket{le=\"0.5\"} 1.0
text_latency_seconds_bucket{le=\"+Inf\"} 2.0
text_latency_seconds_count 2.0
text_latency_seconds_sum 3.5
# HELP text_calls_total Calls.
# TYPE text_calls_total counter
";

const OPENMETRICS: &str = "\
# HELP text_requests Requests.
# TYPE text_requests counter
text_requests_total{code=\"200\"} 3.0
text_requests_created{code=\"200\"} 1700000000.5
# TYPE text_size_bytes gauge
# UNIT text_size_bytes bytes
text_size_bytes 5
# TYPE text_build info
text_build_info{version=\"1\"} 1
# EOF
";

meterbox_plugin::export!(Text: Collector, TextCollector);
