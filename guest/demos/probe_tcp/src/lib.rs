//! Probes TCP addresses that the scraper names, as `HOST:PORT`: whether somebody listens, and how long that takes to find out.
//!
//! With `&send=TEXT&expect=TEXT` it also sends a line, and looks for a text in what comes back.

mod tcp;

use meterbox_plugin::prelude::*;

use crate::tcp::{Connection, Error, Patience, Stopwatch};

struct ProbeTcp {
    lookup: Family,
    connect: Family,
    protocol: Family,
    expected: Family,
}

impl Collector for ProbeTcp {
    fn register(registry: &mut Registry) -> Result<Self> {
        let mut gauge = |name, help| registry.probe_desc(Desc::gauge(name, help));
        Ok(Self {
            lookup: gauge(
                "probe_dns_lookup_time_seconds",
                "Returns the time taken for probe dns lookup in seconds",
            ),
            connect: gauge(
                "probe_tcp_connect_time_seconds",
                "How long it took to connect, in seconds.",
            ),
            protocol: gauge(
                "probe_ip_protocol",
                "Specifies whether probe ip protocol is IP4 or IP6",
            ),
            expected: gauge(
                "probe_tcp_expected",
                "Whether what was expected came back, if anything was.",
            ),
        })
    }
}

impl Probe for ProbeTcp {
    fn probe(&mut self, request: &ProbeRequest, samples: &mut Samples) -> Result<bool> {
        let patience = Patience::new(request.timeout());
        let measured = self.measure(request, &patience, samples);
        // What is wrong with the target is no fault of ours.
        Ok(measured.unwrap_or_else(|error| {
            log::debug(format_args!("{}: {error}", request.target()));
            false
        }))
    }
}

impl ProbeTcp {
    fn measure(
        &self,
        request: &ProbeRequest,
        patience: &Patience,
        samples: &mut Samples,
    ) -> Result<bool, Error> {
        let watch = Stopwatch::start();
        let address = tcp::resolve(request.target(), patience)?;
        samples.gauge(&self.lookup, &[], watch.seconds());
        samples.gauge(&self.protocol, &[], tcp::version(&address));
        let watch = Stopwatch::start();
        let connection = Connection::open(address, patience)?;
        samples.gauge(&self.connect, &[], watch.seconds());
        if let Some(text) = request.parameter("send") {
            connection.send(text, patience)?;
        }
        let Some(text) = request.parameter("expect") else {
            return Ok(true);
        };
        let expected = connection.expect(text, patience)?;
        samples.gauge(&self.expected, &[], f64::from(expected));
        Ok(expected)
    }
}

meterbox_plugin::export!(ProbeTcp: Collector, Probe);
