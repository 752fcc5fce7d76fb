//! Every kind in every format, as files that people can read. `BLESS=1` writes them anew; read the diff.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use common::{
    Bench,
    kinds::{counted, sampled},
};
use meterbox_metrics::{
    Desc, Kind, View,
    encode::{Escaping, Format},
};

fn page(bench: &Bench, format: Format, escaping: Escaping) -> String {
    let page = bench.registry.page(|_| View::All);
    String::from_utf8(page.to_bytes(format, escaping)).unwrap()
}

fn golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, text).unwrap();
    } else {
        let wanted = std::fs::read_to_string(&path).unwrap();
        assert!(text == wanted, "not as in {path}, but:\n{text}");
    }
}

/// Hides the times at which instruments were opened.
fn mask(text: &str) -> String {
    let mask = |line: &str| {
        let is_time = ["_created ", "seconds: "]
            .iter()
            .any(|mark| line.contains(mark));
        match line.rsplit_once(' ') {
            Some((head, time)) if is_time && time.parse().is_ok_and(|time: f64| time > 1.6e9) => {
                format!("{head} <opened>\n")
            }
            _ => format!("{line}\n"),
        }
    };
    // A whole second has no nanoseconds.
    text.lines()
        .filter(|line| !line.contains("nanos: "))
        .map(mask)
        .collect()
}

#[test]
fn text() {
    golden(
        "sampled.text",
        &page(&sampled(), Format::Text, Escaping::AllowUtf8),
    );
    golden(
        "counted.text",
        &page(&counted(), Format::Text, Escaping::AllowUtf8),
    );
}

#[test]
fn openmetrics() {
    let format = Format::OpenMetrics100;
    golden(
        "sampled.openmetrics",
        &page(&sampled(), format, Escaping::AllowUtf8),
    );
    golden(
        "counted.openmetrics",
        &mask(&page(&counted(), format, Escaping::AllowUtf8)),
    );
}

#[test]
fn protobuf_for_people() {
    let format = Format::ProtobufText;
    golden(
        "sampled.protobuf",
        &page(&sampled(), format, Escaping::AllowUtf8),
    );
    golden(
        "counted.protobuf",
        &mask(&page(&counted(), format, Escaping::AllowUtf8)),
    );
    let format = Format::ProtobufCompactText;
    golden(
        "sampled.compact",
        &page(&sampled(), format, Escaping::AllowUtf8),
    );
}

#[test]
fn escaped_names() {
    let bench = sampled();
    for scheme in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
        let text = page(&bench, Format::Text, scheme);
        let strange: String = text
            .lines()
            .filter(|line| line.contains("my") || line.contains("gr_"))
            .map(|line| format!("{line}\n"))
            .collect();
        golden(&format!("escaped.{}", scheme.name()), &strange);
        assert!(text.is_ascii());
    }
}

#[test]
fn who_had_the_name_keeps_it() {
    let mut bench = Bench::new(vec![
        Desc::new("a.b", "Escaped, it is the next one.", Kind::Gauge),
        Desc::new("a_b", "A legacy name.", Kind::Gauge),
        Desc::new("c.d", "The first of two.", Kind::Gauge),
        Desc::new("c-d", "Before it by name.", Kind::Gauge),
        Desc::new("e", "Its labels are one.", Kind::Gauge).with_labels(["l.m", "l_m"]),
        Desc::new("f.count", "The count of the next one.", Kind::Gauge),
        Desc::new("f", "Has it.", Kind::Summary(Default::default())),
    ]);
    for family in 0..7 {
        let labels = if family == 4 { 2 } else { 0 };
        bench
            .session
            .open(family, &vec![String::new(); labels])
            .unwrap();
    }
    bench.commit();
    let page = bench.registry.page(|_| View::All);
    let frames = page.frames(Format::Text, Escaping::Underscores);
    assert_eq!(frames.dropped(), ["a.b", "c.d", "e", "f.count"]);
    let text: Vec<u8> = frames.flatten().collect();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "# HELP a_b A legacy name.\n# TYPE a_b gauge\na_b 0\n\
         # HELP c_d Before it by name.\n# TYPE c_d gauge\nc_d 0\n\
         # HELP f Has it.\n# TYPE f summary\nf_sum 0\nf_count 0\n"
    );
    let all = page.frames(Format::Text, Escaping::AllowUtf8);
    assert_eq!(all.dropped(), [""; 0]);
}

#[test]
fn openmetrics_has_no_family_twice() {
    let summary = || Kind::Summary(Default::default());
    let mut bench = Bench::new(vec![
        Desc::new("a", "A gauge,", Kind::Gauge),
        Desc::new("a_total", "and a counter.", Kind::Counter),
        Desc::new("b_total", "A counter,", Kind::Counter),
        Desc::new("b_info", "and an info.", Kind::Info),
        Desc::new("c", "A summary,", summary()),
        Desc::new("c_created_total", "and a counter.", Kind::Counter),
        Desc::new("_total", "A counter of nothing.", Kind::Counter),
    ]);
    for family in 0..7 {
        bench.session.open(family, &[]).unwrap();
    }
    bench.commit();
    golden(
        "clashes.openmetrics",
        &mask(&page(&bench, Format::OpenMetrics100, Escaping::default())),
    );
}

#[test]
fn content_types_are_those_of_prometheus_common() {
    let content_type = |format: Format| format.content_type(Escaping::AllowUtf8);
    assert_eq!(
        content_type(Format::OpenMetrics100),
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    );
    assert_eq!(
        content_type(Format::ProtobufDelimited),
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
         encoding=delimited; escaping=allow-utf-8"
    );
}
