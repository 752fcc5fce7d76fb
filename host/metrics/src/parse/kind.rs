//! The words of `# TYPE` lines, and which sample names belong to each.

/// What a family of a page says it measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ParsedKind {
    /// A total that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations counted in buckets.
    Histogram,
    /// Buckets whose counts may fall; OpenMetrics only.
    GaugeHistogram,
    /// Observations with quantiles.
    Summary,
    /// A constant 1 whose labels are the message; OpenMetrics only.
    Info,
    /// Which of some states hold, each 0 or 1; OpenMetrics only.
    StateSet,
    /// Not said. The word is `untyped` in format 0.0.4, `unknown` in OpenMetrics.
    #[default]
    Untyped,
}

/// Which format a page is in, for the few rules that both share in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// What the name of a sample has after the name of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    None,
    Total,
    Created,
    Bucket,
    Count,
    Sum,
    GCount,
    GSum,
    Info,
}

impl ParsedKind {
    /// The kind that a `# TYPE` line names.
    pub(super) fn from_word(word: &str, format: Format) -> Option<Self> {
        let is_openmetrics = format == Format::OpenMetrics;
        Some(match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "summary" => Self::Summary,
            "untyped" if !is_openmetrics => Self::Untyped,
            "unknown" if is_openmetrics => Self::Untyped,
            "gaugehistogram" if is_openmetrics => Self::GaugeHistogram,
            "info" if is_openmetrics => Self::Info,
            "stateset" if is_openmetrics => Self::StateSet,
            _ => return None,
        })
    }

    /// The word of a `# TYPE` line of OpenMetrics, except that an untyped family is `untyped`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Untyped => "untyped",
        }
    }

    /// The sample names that a family of this kind may have.
    pub(super) fn suffixes(self, format: Format) -> &'static [Suffix] {
        use Suffix::{Bucket, Count, Created, GCount, GSum, Info, None, Sum, Total};
        match (self, format) {
            (Self::Counter, Format::OpenMetrics) => &[Total, Created],
            (Self::Histogram, Format::OpenMetrics) => &[Bucket, Count, Sum, Created],
            (Self::Histogram, Format::Text) => &[Bucket, Count, Sum],
            (Self::GaugeHistogram, _) => &[Bucket, GCount, GSum],
            (Self::Summary, Format::OpenMetrics) => &[None, Count, Sum, Created],
            (Self::Summary, Format::Text) => &[None, Count, Sum],
            (Self::Info, _) => &[Info],
            _ => &[None],
        }
    }

    /// The label that tells the lines of one metric apart, if metrics of this kind have several.
    pub(super) fn own_label(self, family: &str) -> Option<&str> {
        match self {
            Self::Histogram | Self::GaugeHistogram => Some("le"),
            Self::Summary => Some("quantile"),
            Self::StateSet => Some(family),
            _ => None,
        }
    }

    /// Whether several lines make one metric, apart from its creation time.
    pub(super) fn is_compound(self) -> bool {
        matches!(self, Self::Histogram | Self::GaugeHistogram | Self::Summary)
    }
}

impl Suffix {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Total => "_total",
            Self::Created => "_created",
            Self::Bucket => "_bucket",
            Self::Count => "_count",
            Self::Sum => "_sum",
            Self::GCount => "_gcount",
            Self::GSum => "_gsum",
            Self::Info => "_info",
        }
    }
}
