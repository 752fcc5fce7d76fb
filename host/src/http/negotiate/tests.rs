//! The headers that real peers send, and any others.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use ::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING},
};
use meterbox_metrics::encode::{
    Escaping::{self, AllowUtf8, Dots, Underscores, Values},
    Format::{
        self, OpenMetrics001, OpenMetrics100, ProtobufCompactText, ProtobufDelimited, ProtobufText,
        Text,
    },
};
use proptest::prelude::*;

use super::{Coding, coding, format};

const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=";

fn headers(name: &HeaderName, lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name, HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

fn format_of(accept: &str) -> (Format, Escaping) {
    format(&headers(&ACCEPT, &[accept.as_bytes()]))
}

fn coding_of(lines: &[&str]) -> Coding {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    coding(&headers(&ACCEPT_ENCODING, &lines))
}

#[test]
fn prometheus_gets_what_it_asks_for() {
    let v3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
              application/openmetrics-text;version=0.0.1;q=0.5,\
              text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
              text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let v3_native_histograms = format!(
        "{PROTOBUF}delimited;q=0.6,\
         application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,\
         text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
         text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
    );
    let v3_legacy_names = v3.replace("allow-utf-8", "underscores");
    let v2 = "application/openmetrics-text;version=1.0.0,\
              application/openmetrics-text;version=0.0.1;q=0.75,\
              text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let v2_5 =
        "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let v2_native_histograms = format!(
        "{PROTOBUF}delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
         application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    );
    let v1 = format!("{PROTOBUF}delimited;q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1");
    // `scrape_protocols: [PrometheusText1.0.0, PrometheusText0.0.4]`: the name of the first, the format of the second.
    let text_only = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                     text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    for (accept, expected) in [
        (v3, (OpenMetrics100, AllowUtf8)),
        (&v3_native_histograms, (ProtobufDelimited, Underscores)),
        (&v3_legacy_names, (OpenMetrics100, Underscores)),
        (v2, (OpenMetrics100, Underscores)),
        (v2_5, (OpenMetrics001, Underscores)),
        (&v2_native_histograms, (ProtobufDelimited, Underscores)),
        (&v1, (ProtobufDelimited, Underscores)),
        (text_only, (Text, AllowUtf8)),
    ] {
        assert_eq!(format_of(accept), expected, "{accept}");
    }
}

#[test]
fn people_get_text() {
    assert_eq!(format(&HeaderMap::new()), (Text, Underscores));
    for accept in [
        "",
        "*/*",
        "*",
        "text/*",
        "application/*",
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
         application/signed-exchange;v=b3;q=0.7",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        "application/json",
    ] {
        assert_eq!(format_of(accept), (Text, Underscores), "{accept}");
    }
}

#[test]
fn each_format_has_its_names() {
    for (accept, expected) in [
        ("text/plain".to_owned(), Text),
        ("text/plain; version=0.0.4; charset=utf-8".to_owned(), Text),
        ("application/openmetrics-text".to_owned(), OpenMetrics001),
        (
            "application/openmetrics-text; version=0.0.1".to_owned(),
            OpenMetrics001,
        ),
        (
            "application/openmetrics-text; version=1.0.0".to_owned(),
            OpenMetrics100,
        ),
        // What we do not have.
        (
            "application/openmetrics-text;version=2.0.0".to_owned(),
            Text,
        ),
        (
            "application/openmetrics-text;version=2.0.0,application/openmetrics-text;q=0.1"
                .to_owned(),
            OpenMetrics001,
        ),
        (format!("{PROTOBUF}delimited"), ProtobufDelimited),
        (format!("{PROTOBUF}text"), ProtobufText),
        (format!("{PROTOBUF}compact-text"), ProtobufCompactText),
        (format!("{PROTOBUF}json"), Text),
        (
            "application/vnd.google.protobuf;encoding=delimited".to_owned(),
            Text,
        ),
        (
            "application/vnd.google.protobuf;proto=a.B;encoding=delimited".to_owned(),
            Text,
        ),
    ] {
        assert_eq!(format_of(&accept).0, expected, "{accept}");
    }
}

#[test]
fn the_last_escaping_before_the_match_counts() {
    let open = "application/openmetrics-text;version=1.0.0";
    for (accept, expected) in [
        (format!("{open};escaping=values"), (OpenMetrics100, Values)),
        (format!("{open};escaping=dots"), (OpenMetrics100, Dots)),
        (
            format!("{open};escaping=strange"),
            (OpenMetrics100, Underscores),
        ),
        (
            format!("text/x;escaping=dots,{open};q=0.5"),
            (OpenMetrics100, Dots),
        ),
        (
            format!("text/x;escaping=dots;q=0.1,{open};q=0.5"),
            (OpenMetrics100, Underscores),
        ),
        (
            format!("text/x;escaping=dots,{open};escaping=strange;q=0.5"),
            (OpenMetrics100, Dots),
        ),
        ("*/*;escaping=dots".to_owned(), (Text, Dots)),
        (
            "text/html;escaping=dots;escaping=values".to_owned(),
            (Text, Values),
        ),
    ] {
        assert_eq!(format_of(&accept), expected, "{accept}");
    }
}

#[test]
fn malformed_clauses_are_skipped() {
    let open = "application/openmetrics-text;version=1.0.0";
    for (accept, expected) in [
        (format!(",,;;q,=,/,//,{open}"), OpenMetrics100),
        (format!("text/plain/x,{open};q=0.1"), OpenMetrics100),
        (format!("text,{open};q=0.1"), OpenMetrics100),
        // A parameter that is none, or has two values, is not there.
        (
            "text/plain;version=1=2,application/openmetrics-text;q=0.5".to_owned(),
            Text,
        ),
        (
            "application/openmetrics-text;version".to_owned(),
            OpenMetrics001,
        ),
        // A weight that is none: last, not refused.
        (format!("text/plain;q=x,{open};q=0.1"), OpenMetrics100),
        (format!("{open};q=x"), OpenMetrics100),
        (format!("{open};q=nan"), OpenMetrics100),
        (format!("{open};q=0"), Text),
        (
            format!("{open};q=0.000,application/openmetrics-text;q=0.001"),
            OpenMetrics001,
        ),
        // Whatever weight a wildcard has, what is named stands before it.
        (format!("*/*,{open};q=0.1"), OpenMetrics100),
    ] {
        assert_eq!(format_of(&accept).0, expected, "{accept}");
    }
    let beyond_ascii = [b"text/\xff\xfe, ".as_slice(), open.as_bytes()].concat();
    assert_eq!(
        format(&headers(&ACCEPT, &[&beyond_ascii])).0,
        OpenMetrics100
    );
}

#[test]
fn several_lines_are_one_list() {
    let lines: [&[u8]; 2] = [b"text/plain;q=0.5", b"application/openmetrics-text"];
    assert_eq!(format(&headers(&ACCEPT, &lines)).0, OpenMetrics001);
    assert_eq!(coding_of(&["gzip;q=0.5", "zstd"]), Coding::Zstd);
    assert_eq!(coding_of(&["gzip", "identity"]), Coding::Identity);
}

#[test]
fn codings_win_by_weight_then_by_order() {
    use Coding::{Gzip, Identity, Zstd};

    assert_eq!(coding(&HeaderMap::new()), Identity);
    for (accept, expected) in [
        ("gzip", Gzip),
        ("GZIP", Gzip),
        ("gzip, deflate", Gzip),
        ("gzip, deflate, br, zstd", Gzip),
        ("gzip, zstd", Gzip),
        ("zstd, gzip", Gzip),
        ("zstd, gzip;q=0.8", Zstd),
        ("zstd", Zstd),
        ("zstd;q=0.2, gzip;q=0.1, identity;q=0.1", Zstd),
        ("identity;q=0.5, gzip", Gzip),
        ("*;q=0.1, gzip;q=0.2", Gzip),
        ("br , gzip ; q=0.3", Gzip),
        ("", Identity),
        ("*", Identity),
        ("identity", Identity),
        ("br", Identity),
        ("gzip;q=0", Identity),
        ("gzip;q=0, zstd", Zstd),
        ("identity;q=0, gzip;q=0, zstd;q=0", Identity),
        ("*;q=0", Identity),
        ("gzip, identity", Identity),
        ("gzip, *", Identity),
        ("gzip;q=x", Identity),
        ("gzip;q=2", Identity),
        ("gzip;q=nan", Identity),
    ] {
        assert_eq!(coding_of(&[accept]), expected, "{accept}");
    }
}

/// Clauses of the words that decide, in any order, so that random headers reach every branch.
fn clause() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "text",
        "plain",
        "application",
        "openmetrics-text",
        "vnd.google.protobuf",
        "*",
        "/",
        ";",
        "=",
        ",",
        " ",
        "\t",
        "q",
        "0",
        "1",
        "0.5",
        "-1",
        "1e39",
        "version",
        "1.0.0",
        "0.0.1",
        "escaping",
        "dots",
        "values",
        "proto",
        "io.prometheus.client.MetricFamily",
        "encoding",
        "delimited",
        "gzip",
        "zstd",
        "identity",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_header_gets_an_offered_answer(
        bytes in prop::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8, Just(b'\t')], 0..200),
        clauses in prop::collection::vec(clause(), 0..4),
    ) {
        let mut lines: Vec<&[u8]> = clauses.iter().map(String::as_bytes).collect();
        lines.push(&bytes);
        let (format, escaping) = format(&headers(&ACCEPT, &lines));
        prop_assert!(Escaping::ALL.contains(&escaping));
        let named = |name: &str| lines.iter().any(|line| line.windows(name.len()).any(|part| part == name.as_bytes()));
        // Nobody is sent what they did not name.
        match format {
            Text => {}
            OpenMetrics001 | OpenMetrics100 => prop_assert!(named("openmetrics-text")),
            ProtobufDelimited | ProtobufText | ProtobufCompactText => prop_assert!(named("vnd.google.protobuf")),
        }
        let coding = coding(&headers(&ACCEPT_ENCODING, &lines));
        let lower = lines.concat().to_ascii_lowercase();
        let said = lower.windows(4).any(|part| part == b"gzip" || part == b"zstd");
        prop_assert!(coding == Coding::Identity || said);
    }
}
