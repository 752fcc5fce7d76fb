//! Does to a probe what its target says.

use meterbox_plugin::{config, prelude::*};
use wasip2::clocks::monotonic_clock;

struct Probes {
    asked: Counter,
    seen: Family,
    many: Family,
}

impl Collector for Probes {
    fn register(registry: &mut Registry) -> Result<Self> {
        let seen = Desc::info("seen_info", "What the plugin was asked for.");
        let many = Desc::gauge(
            config::get("many").unwrap_or_else(|| "many".into()),
            "As many series as the target says.",
        );
        Ok(Self {
            asked: registry.counter("asked_total", "Probes that came to their end."),
            seen: registry.probe_desc(seen.labels(&["target", "parameters", "timeout_ms"])),
            many: registry.probe_desc(many.labels(&["number"])),
        })
    }
}

impl Probe for Probes {
    fn probe(&mut self, request: &ProbeRequest, samples: &mut Samples) -> Result<bool> {
        self.asked.inc();
        let parameters: Vec<_> = request
            .parameters()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let millis = request.timeout().as_millis().to_string();
        let labels = [request.target(), &parameters.join(","), &millis];
        samples.info(&self.seen, &labels);
        let (what, number) = request
            .target()
            .split_once(' ')
            .unwrap_or((request.target(), "0"));
        match what {
            "down" => return Ok(false),
            "error" => return Err("the prober is out of order".into()),
            "trap" => panic!("as it was told"),
            "spin" => loop {
                std::hint::black_box(());
            },
            "sleep" => monotonic_clock::subscribe_duration(u64::MAX).block(),
            "pause" => {
                let nanos = number.parse::<u64>()? * 1_000_000;
                monotonic_clock::subscribe_duration(nanos).block();
            }
            "eat" => {
                std::hint::black_box(vec![1_u8; number.parse()?]);
            }
            "flood" => {
                for number in 0..number.parse()? {
                    let number: u32 = number;
                    samples.gauge(&self.many, &[&number.to_string()], 1.0);
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

meterbox_plugin::export!(Probes: Collector, Probe);
