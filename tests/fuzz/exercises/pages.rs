//! Any text as a page: no panic, and what holds for every page that is in order.

use meterbox_metrics::parse::{self, ParseError, ParsedFamily};

/// Reads it as text format 0.0.4.
pub fn text(page: &str) {
    exercise(page, parse::text(page));
}

/// Reads it as OpenMetrics.
pub fn openmetrics(page: &str) {
    exercise(page, parse::openmetrics(page));
}

/// Looks at families from all sides.
fn exercise(page: &str, read: Result<Vec<ParsedFamily<'_>>, ParseError>) {
    let families = match read {
        Ok(families) => families,
        Err(error) => {
            assert!(error.line <= 1 + page.bytes().filter(|byte| *byte == b'\n').count());
            assert!(error.message.starts_with("expected "), "{error}");
            return;
        }
    };
    parse::lint(&families);
    for family in &families {
        let mut offset = None;
        for sample in family.samples() {
            assert!(offset < Some(sample.offset), "lines come in order");
            offset = Some(sample.offset);
            assert!(sample.name().starts_with(family.name.as_ref()));
        }
        let metrics = family.metrics();
        assert!(metrics.len() <= family.samples().len());
        assert_eq!(metrics.is_empty(), offset.is_none());
        if let Ok((desc, samples)) = family.assemble() {
            assert_eq!(samples.len(), metrics.len());
            let count = desc.label_names.len();
            assert!(
                samples
                    .iter()
                    .all(|sample| sample.label_values.len() == count)
            );
        }
    }
}
