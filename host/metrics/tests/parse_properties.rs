//! What holds for every page: no input panics, and what was written is what is read.

#![allow(clippy::unwrap_used, reason = "writing to a string cannot fail")]

use std::fmt::Write as _;

use meterbox_metrics::parse::{self, ParsedFamily, ParsedKind};
use proptest::{collection::vec, prelude::*, sample::select};

/// A family of one-line series, or of histograms with one bound.
#[derive(Clone, Debug)]
struct Family {
    kind: ParsedKind,
    help: String,
    /// Values of two labels, and the value; the number of a series is a third label, so that none comes twice.
    series: Vec<([String; 2], f64)>,
    timestamp: Option<i64>,
}

fn family() -> impl Strategy<Value = Family> {
    let kinds = [
        ParsedKind::Counter,
        ParsedKind::Gauge,
        ParsedKind::Histogram,
        ParsedKind::Untyped,
    ];
    // Bits, because that is where NaNs, subnormals and both zeros are.
    let value = prop_oneof![any::<u64>().prop_map(f64::from_bits), any::<f64>()];
    let labels = [any::<String>(), any::<String>()];
    (
        select(kinds.to_vec()),
        any::<String>(),
        vec((labels, value), 0..4),
        any::<Option<i64>>(),
    )
        .prop_map(|(kind, help, series, timestamp)| Family {
            kind,
            help,
            series,
            timestamp,
        })
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text).replace('"', "\\\""))
}

/// Alternates between the two ways of writing the digits of a number.
fn number(value: f64, is_scientific: bool) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        format!("{value:+}").replace("inf", "Inf")
    } else if is_scientific {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

fn print(families: &[Family], is_openmetrics: bool) -> String {
    let mut page = String::new();
    for (place, family) in families.iter().enumerate() {
        let name = format!("f{place}");
        let kind = match family.kind {
            ParsedKind::Untyped if is_openmetrics => "unknown",
            kind => kind.name(),
        };
        let help = if is_openmetrics {
            escape(&family.help).replace('"', "\\\"")
        } else {
            escape(&family.help)
        };
        writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap();
        let end = match family.timestamp {
            Some(millis) if is_openmetrics => {
                let sign = if millis < 0 { "-" } else { "" };
                let millis = millis.unsigned_abs();
                format!(" {sign}{}.{:03}", millis / 1000, millis % 1000)
            }
            Some(millis) => format!(" {millis}"),
            None => String::new(),
        };
        for (number, (labels, value)) in family.series.iter().enumerate() {
            let [one, two] = labels.each_ref().map(|value| quote(value));
            let labels = format!("n=\"{number}\",one={one},\"zwei, {{\\\"\"={two}");
            let value = self::number(*value, number % 2 == 1);
            match family.kind {
                ParsedKind::Histogram => {
                    writeln!(page, "{name}_bucket{{{labels},le=\"{number}\"}} 1{end}").unwrap();
                    writeln!(page, "{name}_bucket{{{labels},le=\"+Inf\"}} 2{end}").unwrap();
                    writeln!(page, "{name}_sum{{{labels}}} {number}{end}").unwrap();
                    writeln!(page, "{name}_count{{{labels}}} 2{end}").unwrap();
                }
                ParsedKind::Counter if is_openmetrics => {
                    writeln!(page, "{name}_total{{{labels}}} {value}{end}").unwrap();
                }
                _ => writeln!(page, "{{{},{labels}}} {value}{end}", quote(&name)).unwrap(),
            }
        }
    }
    if is_openmetrics {
        page.push_str("# EOF\n");
    }
    page
}

fn check(families: &[Family], read: &[ParsedFamily<'_>]) {
    assert_eq!(read.len(), families.len());
    for (wanted, read) in families.iter().zip(read) {
        // Blanks before a help text of format 0.0.4 do not count.
        let help = read.help.as_deref().unwrap();
        assert!(help == wanted.help || help == wanted.help.trim_start_matches([' ', '\t']));
        assert_eq!(read.kind, wanted.kind);
        let metrics = read.metrics();
        assert_eq!(metrics.len(), wanted.series.len());
        for (number, ((labels, value), metric)) in wanted.series.iter().zip(&metrics).enumerate() {
            let read: Vec<_> = metric
                .labels
                .iter()
                .map(|label| (label.name().into_owned(), label.value().into_owned()))
                .collect();
            let number = number.to_string();
            let [one, two] = labels;
            assert_eq!(
                read,
                [("n", number.as_str()), ("one", one), ("zwei, {\"", two)]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
            );
            let timestamp = metric.timestamp.map(|timestamp| timestamp.as_millis());
            assert_eq!(timestamp, wanted.timestamp);
            match &metric.value {
                meterbox_metrics::SampleValue::Number(read) => {
                    let is_same = read.to_bits() == value.to_bits();
                    assert!(is_same || read.is_nan() && value.is_nan(), "{read} {value}");
                }
                meterbox_metrics::SampleValue::Histogram(read) => {
                    assert_eq!((read.count, &read.buckets[..]), (2.0, &[1.0][..]));
                    assert_eq!(read.sum.to_string(), number);
                    assert_eq!(metric.bounds[0].to_string(), number);
                }
                other => panic!("{other:?}"),
            }
        }
        read.assemble().ok();
    }
}

/// Reads as both formats, and looks at what was read from all sides.
fn exercise(page: &str) {
    for families in [parse::text(page), parse::openmetrics(page)] {
        match families {
            Ok(families) => {
                parse::lint(&families);
                for family in &families {
                    family.assemble().ok();
                    family.samples().for_each(|sample| drop(sample.name()));
                }
            }
            Err(error) => assert!(error.line >= 1 && error.column >= 1),
        }
    }
}

/// Pieces that pages are made of, so that random input gets past the first line.
const PIECES: [&str; 44] = [
    "a",
    "b",
    "a_total",
    "a_bucket",
    "a_count",
    "a_sum",
    "a_created",
    "a_info",
    "a_gcount",
    "{",
    "}",
    "\"",
    "=",
    ",",
    " ",
    "\n",
    "\t",
    "\\",
    "\\n",
    "#",
    "# HELP a ",
    "# TYPE a ",
    "# UNIT a ",
    "# EOF",
    "counter\n",
    "gauge\n",
    "histogram\n",
    "summary\n",
    "info\n",
    "stateset\n",
    "1",
    "2\n",
    "-1",
    ".5",
    "NaN",
    "+Inf",
    "1e3",
    "{le=\"+Inf\"} 1\n",
    "{le=\"1\"} 1\n",
    "{quantile=\"0.5\"} 1\n",
    "{a=\"x\"} 1\n",
    " # {x=\"y\"} 1",
    "é",
    "\u{1f30d}",
];

/// Pages that are in order, to be broken in one place.
fn seeds() -> Vec<String> {
    let tables = [
        include_str!("parse/text/good.txt"),
        include_str!("parse/openmetrics/good.txt"),
    ];
    let cases = tables
        .iter()
        .flat_map(|table| table.split("\n=== ").skip(1));
    cases
        .filter_map(|case| case.split_once('\n')?.1.split_once("---\n"))
        .map(|(page, _)| page.to_owned())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..200)) {
        exercise(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_pieces_panic(pieces in vec(select(PIECES.to_vec()), 0..60)) {
        exercise(&pieces.concat());
    }

    #[test]
    fn no_broken_page_panics(
        page in select(seeds()),
        from in any::<prop::sample::Index>(),
        len in 0_usize..4,
        piece in select(PIECES.to_vec()),
    ) {
        let chars: Vec<char> = page.chars().collect();
        let from = from.index(chars.len() + 1);
        let to = (from + len).min(chars.len());
        let before: String = chars[..from].iter().collect();
        let after: String = chars[to..].iter().collect();
        exercise(&format!("{before}{piece}{after}"));
        exercise(&before);
    }

    #[test]
    fn text_reads_back(families in vec(family(), 0..4)) {
        let page = print(&families, false);
        check(&families, &parse::text(&page).unwrap());
    }

    #[test]
    fn openmetrics_reads_back(mut families in vec(family(), 0..4)) {
        // The values that OpenMetrics does not let a counter have.
        for family in families.iter_mut().filter(|family| family.kind == ParsedKind::Counter) {
            for (_, value) in &mut family.series {
                *value = if value.is_nan() { 0.0 } else { value.abs() };
            }
        }
        let page = print(&families, true);
        check(&families, &parse::openmetrics(&page).unwrap());
    }
}
