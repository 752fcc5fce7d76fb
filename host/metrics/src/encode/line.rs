//! What the lines of the text formats have in common: where the name stands, and how help texts are escaped.

use crate::{
    desc::{Desc, Kind},
    labels::push_escaped,
    name::is_legacy_metric_name,
};

/// The name of a family. A legacy name stands before the braces, any other one in quotes within them.
#[derive(Debug, Default)]
pub(super) struct Name {
    /// Escaped if it is quoted.
    text: Vec<u8>,
    is_quoted: bool,
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        let mut text = Vec::with_capacity(name.len());
        push_escaped(&mut text, name);
        Self {
            text,
            is_quoted: !is_legacy_metric_name(name),
        }
    }

    pub(super) fn is_quoted(&self) -> bool {
        self.is_quoted
    }

    /// As metadata lines have it.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        if self.is_quoted {
            out.push(b'"');
        }
        out.extend_from_slice(&self.text);
        if self.is_quoted {
            out.push(b'"');
        }
    }

    /// All of a line that stands before its value: `name_suffix{labels,extra}` or `{"name_suffix",labels,extra}`.
    #[inline]
    pub(super) fn push_series(
        &self,
        suffix: &[u8],
        labels: &[u8],
        extra: &[u8],
        out: &mut Vec<u8>,
    ) {
        // One look at the capacity for the whole line: a number is 24 characters at most, a timestamp 20.
        out.reserve(self.text.len() + suffix.len() + labels.len() + extra.len() + 56);
        if self.is_quoted {
            return self.push_quoted_series(suffix, labels, extra, out);
        }
        out.extend_from_slice(&self.text);
        out.extend_from_slice(suffix);
        if !labels.is_empty() || !extra.is_empty() {
            out.push(b'{');
            out.extend_from_slice(labels);
            if !labels.is_empty() && !extra.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(extra);
            out.push(b'}');
        }
    }

    #[cold]
    fn push_quoted_series(&self, suffix: &[u8], labels: &[u8], extra: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(&self.text);
        out.extend_from_slice(suffix);
        out.push(b'"');
        for part in [labels, extra] {
            if !part.is_empty() {
                out.push(b',');
                out.extend_from_slice(part);
            }
        }
        out.push(b'}');
    }
}

/// Appends a help text with `\` and line feeds escaped, and in OpenMetrics quotes too.
pub(super) fn push_help(out: &mut Vec<u8>, help: &str, quotes: bool) {
    for byte in help.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            _ => out.push(byte),
        }
    }
}

/// The bounds of a family's classic buckets, with the +Inf that follows them; none if it is no histogram.
pub(super) fn bounds(desc: &Desc) -> impl Iterator<Item = f64> {
    let (bounds, last) = match &desc.kind {
        Kind::Histogram(options) => (options.bounds.as_slice(), Some(f64::INFINITY)),
        _ => (Default::default(), None),
    };
    bounds.iter().copied().chain(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_before_the_braces_or_within() {
        let series = |name: &str, labels: &str, extra: &str| {
            let mut out = Vec::new();
            Name::new(name).push_series(b"_sum", labels.as_bytes(), extra.as_bytes(), &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(series("a", "", ""), "a_sum");
        assert_eq!(series("a", "l=\"1\"", ""), "a_sum{l=\"1\"}");
        assert_eq!(series("a", "", "le=\"1\""), "a_sum{le=\"1\"}");
        assert_eq!(
            series("a", "l=\"1\"", "le=\"1\""),
            "a_sum{l=\"1\",le=\"1\"}"
        );
        assert_eq!(series("a.\"b", "", ""), "{\"a.\\\"b_sum\"}");
        assert_eq!(series("a.b", "l=\"1\"", ""), "{\"a.b_sum\",l=\"1\"}");
        assert_eq!(
            series("a.b", "l=\"1\"", "le=\"1\""),
            "{\"a.b_sum\",l=\"1\",le=\"1\"}"
        );
    }
}
