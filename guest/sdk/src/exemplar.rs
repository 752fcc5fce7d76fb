//! Exemplars.

/// Labels that lead from a number to one of the events behind it, such as a trace: at least one, at most 128 characters
/// with all names and values. What breaks this rule is refused when it is sent, and fails the call.
///
/// A list of names and values is one: `histogram.observe_with_exemplar(0.2, [("trace_id", id)])`.
#[derive(Clone, Debug)]
pub struct Exemplar {
    labels: Vec<(String, String)>,
    timestamp_ms: Option<f64>,
}

impl Exemplar {
    /// An event of the present.
    pub fn new<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            labels: labels.into_iter().map(owned).collect(),
            timestamp_ms: None,
        }
    }

    /// When it happened, in milliseconds since 1970. The host takes the end of the call if this is left out.
    #[must_use]
    pub fn timestamp_ms(self, at: f64) -> Self {
        Self {
            timestamp_ms: Some(at),
            ..self
        }
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.labels.iter();
        labels.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn at(&self) -> Option<f64> {
        self.timestamp_ms
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Exemplar {
    fn from(labels: [(&str, &str); N]) -> Self {
        Self::new(labels)
    }
}

impl<const N: usize> From<&[(&str, &str); N]> for Exemplar {
    fn from(labels: &[(&str, &str); N]) -> Self {
        Self::new(*labels)
    }
}

impl From<&[(&str, &str)]> for Exemplar {
    fn from(labels: &[(&str, &str)]) -> Self {
        Self::new(labels.iter().copied())
    }
}
