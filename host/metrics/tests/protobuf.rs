//! The delimited bytes, read by others: the `prometheus` crate's messages, and for what these lack, a decoder that knows
//! nothing but the wire format and the schema.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use common::kinds::{counted, sampled};
use meterbox_metrics::{
    View,
    encode::{Escaping, Format},
};
use prometheus::proto::{MetricFamily, MetricType};
use protobuf::Message;

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let length = varint(&mut rest) as usize;
        messages.push(take(&mut rest, length));
    }
    messages
}

/// `number name type` of each field; a type in capitals is a message.
const SCHEMA: [(&str, &str); 12] = [
    (
        "Family",
        "1 name string,2 help string,3 type Type,4 metric Metric,5 unit string",
    ),
    (
        "Metric",
        "1 label Label,2 gauge Value,3 counter Counter,4 summary Summary,5 untyped Value,6 timestamp_ms int,\
         7 histogram Histogram",
    ),
    ("Label", "1 name string,2 value string"),
    ("Value", "1 value double"),
    (
        "Counter",
        "1 value double,2 exemplar Exemplar,3 created_timestamp Time",
    ),
    ("Exemplar", "1 label Label,2 value double,3 timestamp Time"),
    ("Quantile", "1 quantile double,2 value double"),
    (
        "Summary",
        "1 sample_count int,2 sample_sum double,3 quantile Quantile,4 created_timestamp Time",
    ),
    (
        "Bucket",
        "1 cumulative_count int,2 upper_bound double,3 exemplar Exemplar,4 cumulative_count_float double",
    ),
    ("Span", "1 offset sint,2 length int"),
    ("Time", "1 seconds int,2 nanos int"),
    (
        "Histogram",
        "1 sample_count int,2 sample_sum double,3 bucket Bucket,4 sample_count_float double,5 schema sint,\
         6 zero_threshold double,7 zero_count int,8 zero_count_float double,9 negative_span Span,\
         10 negative_delta sint,11 negative_count double,12 positive_span Span,13 positive_delta sint,\
         14 positive_count double,15 created_timestamp Time,16 exemplars Exemplar",
    ),
];

/// The message as the text form has it.
fn decode(message: &str, mut bytes: &[u8], indent: usize, out: &mut String) {
    let (_, fields) = SCHEMA.iter().find(|entry| entry.0 == message).unwrap();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let number = (tag >> 3).to_string();
        let mut fields = fields.split(',').map(|field| field.split(' '));
        let field = fields.find_map(|mut words| {
            (words.next() == Some(&*number)).then(|| (words.next().unwrap(), words.next().unwrap()))
        });
        let (name, kind) = field.unwrap_or_else(|| panic!("{message} has no field {number}"));
        let value = match (tag & 7, kind) {
            (0, "Type") => {
                let words = ["COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM"];
                words[varint(&mut bytes) as usize].to_owned()
            }
            (0, "sint") => {
                let value = varint(&mut bytes);
                ((value >> 1) as i64 ^ -((value & 1) as i64)).to_string()
            }
            (0, "int") => (varint(&mut bytes) as i64).to_string(),
            (1, "double") => {
                let value = f64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap());
                format!("{value:?}")
            }
            (2, kind) => {
                let length = varint(&mut bytes) as usize;
                let inner = take(&mut bytes, length);
                if kind == "string" {
                    format!("{:?}", std::str::from_utf8(inner).unwrap())
                } else {
                    let mut text = "{\n".to_owned();
                    decode(kind, inner, indent + 2, &mut text);
                    format!("{text}{:indent$}}}", "")
                }
            }
            other => panic!("{message}.{name}: {other:?}"),
        };
        out.push_str(&format!("{:indent$}{name}: {value}\n", ""));
    }
}

/// Numbers of the text form as Rust prints them.
fn respell(text: &str) -> String {
    const DOUBLES: [&str; 10] = [
        "value",
        "sample_sum",
        "quantile",
        "upper_bound",
        "zero_threshold",
        "sample_count_float",
        "zero_count_float",
        "cumulative_count_float",
        "negative_count",
        "positive_count",
    ];
    let respell = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match value.parse::<f64>() {
            Ok(number) if DOUBLES.contains(&name.trim_start()) => format!("{name}: {number:?}\n"),
            _ => format!("{line}\n"),
        }
    };
    text.lines().map(respell).collect()
}

#[test]
fn bytes_say_what_the_text_form_says() {
    for bench in [sampled(), counted()] {
        let page = bench.registry.page(|_| View::All);
        let bytes = page.to_bytes(Format::ProtobufDelimited, Escaping::AllowUtf8);
        let mut decoded = String::new();
        for message in messages(&bytes) {
            decode("Family", message, 0, &mut decoded);
            decoded.push('\n');
        }
        let text = page.to_bytes(Format::ProtobufText, Escaping::AllowUtf8);
        assert_eq!(decoded, respell(&String::from_utf8(text).unwrap()));
    }
}

#[test]
fn the_prometheus_crate_reads_it() {
    let bench = sampled();
    let page = bench.registry.page(|_| View::All);
    let bytes = page.to_bytes(Format::ProtobufDelimited, Escaping::AllowUtf8);
    let families: Vec<_> = messages(&bytes)
        .into_iter()
        .map(|message| MetricFamily::parse_from_bytes(message).unwrap())
        .collect();
    assert_eq!(families.len(), 15);
    let family = |name: &str| {
        families
            .iter()
            .find(|family| family.name() == name)
            .unwrap()
    };

    let requests = family("requests_total");
    assert_eq!(requests.get_field_type(), MetricType::COUNTER);
    assert_eq!(requests.help(), "Requests by \"code\".");
    let metric = &requests.get_metric()[1];
    assert_eq!(metric.get_label()[1].value(), "a\\b\"c\nd");
    assert_eq!(metric.get_counter().value(), 42.0);
    assert_eq!(requests.get_metric()[2].timestamp_ms(), 1_600_000_000_007);

    let latency = family("latency_seconds").get_metric()[0].get_histogram();
    assert_eq!(
        (latency.get_sample_count(), latency.get_sample_sum()),
        (7, 12.5)
    );
    let buckets: Vec<_> = latency
        .get_bucket()
        .iter()
        .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
        .collect();
    assert_eq!(buckets, [(0.1, 1), (1.0, 4), (10.0, 6)]);

    let size = family("size_bytes").get_metric()[0].get_summary();
    assert_eq!((size.sample_count(), size.sample_sum()), (4, 10.0));
    assert_eq!(size.get_quantile()[0].value(), 2.0);
    assert_eq!(
        family("my.requests_total").get_metric()[0].get_label()[0].name(),
        "my.label"
    );
}

#[test]
fn a_large_family_is_one_message() {
    let mut bench = common::Bench::new(vec![
        meterbox_metrics::Desc::new("many", "", meterbox_metrics::Kind::Counter).with_labels(["i"]),
    ]);
    for i in 0..20_000 {
        bench.session.open(0, &[i.to_string()]).unwrap();
    }
    bench.commit();
    let page = bench.registry.page(|_| View::All);
    let frames: Vec<_> = page
        .frames(Format::ProtobufDelimited, Escaping::AllowUtf8)
        .collect();
    assert!(frames.len() > 5);
    let bytes = frames.concat();
    let messages = messages(&bytes);
    assert_eq!(messages.len(), 1);
    let family = MetricFamily::parse_from_bytes(messages[0]).unwrap();
    assert_eq!(family.get_metric().len(), 20_000);
}
