//! The formats that a page can be written in, and how they are named on the wire.

/// A wire format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 0.0.1, as Prometheus 2 first asked for it. Written like 1.0.0.
    OpenMetrics001,
    /// OpenMetrics 1.0.0.
    OpenMetrics100,
    /// `io.prometheus.client.MetricFamily` messages, each behind its length. The only one that carries native
    /// histograms.
    ProtobufDelimited,
    /// The same messages in protobuf's text form, for people.
    ProtobufText,
    /// The same messages in protobuf's text form, one per line.
    ProtobufCompactText,
}

/// What becomes of names that not every reader can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// They stay as they are, in quotes where the format needs them.
    AllowUtf8,
    /// What is not `[a-zA-Z0-9_:]` becomes `_`.
    #[default]
    Underscores,
    /// `_` becomes `__`, `.` becomes `_dot_`, the rest `__`.
    Dots,
    /// Such names become `U__` and their strange characters `_hex_`.
    Values,
}

impl Format {
    /// Whether a page is text with one sample on each line.
    pub fn is_lines(self) -> bool {
        matches!(
            self,
            Self::Text | Self::OpenMetrics001 | Self::OpenMetrics100
        )
    }

    /// The `Content-Type` of a page, as prometheus/common writes it.
    pub fn content_type(self, escaping: Escaping) -> String {
        let protobuf =
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=";
        let head = match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8".to_owned(),
            Self::OpenMetrics001 => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8".to_owned()
            }
            Self::OpenMetrics100 => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8".to_owned()
            }
            Self::ProtobufDelimited => format!("{protobuf}delimited"),
            Self::ProtobufText => format!("{protobuf}text"),
            Self::ProtobufCompactText => format!("{protobuf}compact-text"),
        };
        format!("{head}; escaping={}", escaping.name())
    }
}

impl Escaping {
    /// All schemes.
    pub const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// The scheme's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}
