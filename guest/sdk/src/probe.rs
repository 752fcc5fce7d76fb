//! Targets that scrapers name.

use std::time::Duration;

use crate::bindings::collector::meterbox::plugin::metric_types::Desc;
use crate::bindings::probe::exports::meterbox::plugin::probe as wit;
use crate::plugin::{Exports, Plugin};
use crate::{Result, Samples};

/// Measures a target that the scraper names: `/probe?plugin=NAME&target=...`, where the operator allows it with
/// `probe = true`.
///
/// ```no_run
/// use meterbox_plugin::prelude::*;
///
/// struct Length {
///     bytes: Family,
/// }
///
/// impl Collector for Length {
///     fn register(registry: &mut Registry) -> Result<Self> {
///         let desc = Desc::gauge("probe_target_length_bytes", "Length of the target's name.");
///         Ok(Self { bytes: registry.probe_desc(desc) })
///     }
/// }
///
/// impl Probe for Length {
///     fn probe(&mut self, request: &ProbeRequest, samples: &mut Samples) -> Result<bool> {
///         samples.gauge(&self.bytes, &[], request.target().len() as f64);
///         Ok(request.target().len() < 100)
///     }
/// }
///
/// meterbox_plugin::export!(Length: Collector, Probe);
/// ```
pub trait Probe {
    /// One probe, in an instance of its own. The samples are those of families that
    /// [`Registry::probe_desc`](crate::Registry::probe_desc) made. Returns whether the target is as it should be, which is
    /// `probe_success`; a target that does not answer is `Ok(false)`.
    ///
    /// # Errors
    /// An error says that the plugin itself failed: the operator hears of it, and `probe_success` is 0.
    fn probe(&mut self, request: &ProbeRequest, samples: &mut Samples) -> Result<bool>;
}

/// What a scraper asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRequest {
    target: String,
    parameters: Vec<(String, String)>,
    timeout: Duration,
}

impl ProbeRequest {
    /// A request, as a test makes it.
    pub fn new(target: impl Into<String>, timeout: Duration) -> Self {
        Self {
            target: target.into(),
            parameters: Vec::new(),
            timeout,
        }
    }

    /// Adds a parameter.
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// What to measure, as the scraper wrote it. Any text but the empty one; nobody has checked it.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The first parameter of this name, beside `plugin` and `target`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters();
        all.find_map(|(each, value)| (each == name).then_some(value))
    }

    /// All parameters beside `plugin` and `target`, names and values, in the order of the request.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.parameters.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How long the probe may take: a little less than the time after which the host stops it.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl<P: Plugin + Probe> wit::Guest for Exports<P> {
    fn describe() -> Result<Vec<Desc>, String> {
        Self::probe_descs()
    }

    fn probe(request: wit::Request) -> Result<wit::Outcome, String> {
        let request = ProbeRequest {
            target: request.target,
            parameters: request.parameters,
            timeout: Duration::from_millis(request.timeout_ms.into()),
        };
        let mut samples = Samples::of_probe();
        let success = Self::call(|plugin| plugin.probe(&request, &mut samples))?;
        Ok(wit::Outcome {
            success,
            samples: samples.into_inner(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_parameters_of_one_name_the_first_is_found() {
        let request = ProbeRequest::new("a", Duration::from_secs(1))
            .with_parameter("x", "1")
            .with_parameter("y", "2")
            .with_parameter("x", "3");
        assert_eq!(request.parameter("x"), Some("1"));
        assert_eq!(request.parameter("z"), None);
        assert_eq!(request.parameters().count(), 3);
    }
}
