//! Remote write: what is pushed is what a scrape would have read.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Bench,
    kinds::{counted, sampled},
    text, values,
};
use meterbox_metrics::{Desc, Kind, Page, Verb, View, parse};
use protobuf::CodedInputStream;

const NOW: i64 = 1_700_000_000_123;

type Labels = Vec<(String, String)>;
/// By labels: the bits of the value, and when.
type Samples = BTreeMap<Labels, (u64, i64)>;

/// The fields of a message that stand behind a length, each with its number.
fn fields(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut input = CodedInputStream::from_bytes(bytes);
    let mut all = Vec::new();
    while let Some(tag) = input.read_raw_tag_or_eof().unwrap() {
        match tag & 7 {
            0 => all.push((tag >> 3, input.read_int64().unwrap().to_le_bytes().to_vec())),
            1 => all.push((
                tag >> 3,
                input.read_double().unwrap().to_le_bytes().to_vec(),
            )),
            2 => all.push((tag >> 3, input.read_bytes().unwrap())),
            other => panic!("wire type {other}"),
        }
    }
    all
}

fn string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// What the requests say, and the families whose metadata they have.
fn pushed(page: &Page, labels: &[(&str, &str)]) -> (Samples, BTreeSet<String>) {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let labels = labels.iter().map(owned).collect();
    let (mut samples, mut families) = (Samples::new(), BTreeSet::new());
    for request in page.write_requests(labels, NOW) {
        for (field, message) in fields(&request) {
            if field == 3 {
                let name = fields(&message).into_iter().find(|(field, _)| *field == 2);
                assert!(families.insert(string(name.unwrap().1)));
                continue;
            }
            assert_eq!(field, 1);
            let (mut labels, mut sample) = (Labels::new(), None);
            for (field, message) in fields(&message) {
                let mut parts = fields(&message).into_iter().map(|(_, bytes)| bytes);
                let (first, second) = (parts.next().unwrap(), parts.next().unwrap());
                match field {
                    1 => labels.push((string(first), string(second))),
                    _ => sample = Some((number(&first), number(&second) as i64)),
                }
            }
            assert!(labels.is_sorted(), "{labels:?}");
            assert!(samples.insert(labels, sample.unwrap()).is_none());
        }
    }
    (samples, families)
}

fn scraped(page: &Page) -> Samples {
    let text = text(page);
    let families = parse::text(&text).unwrap();
    let samples = families.iter().flat_map(|family| family.samples());
    samples
        .map(|sample| {
            let mut labels: Labels = sample
                .labels
                .iter()
                .map(|label| (label.name().into_owned(), label.value().into_owned()))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            labels.push(("__name__".to_owned(), sample.name().into_owned()));
            labels.sort();
            let timestamp = sample.timestamp.map_or(NOW, |time| time.as_millis());
            (labels, (sample.value.to_bits(), timestamp))
        })
        .collect()
}

#[test]
fn every_kind_as_it_is_scraped() {
    for bench in [sampled(), counted()] {
        let page = bench.registry.page(|_| View::All);
        let (pushed, families) = pushed(&page, &[]);
        assert_eq!(pushed, scraped(&page));
        let text = text(&page);
        for family in parse::text(&text).unwrap() {
            assert!(families.contains(&*family.name), "{}", family.name);
        }
    }
}

#[test]
fn labels_of_the_sender_yield_to_those_of_a_series() {
    let desc = Desc::new("a", "", Kind::Gauge).with_labels(["job", "Zone"]);
    let mut bench = Bench::new(vec![desc]);
    let series = bench.session.open(0, &values(&["own", "\\ \"\n"])).unwrap();
    bench
        .session
        .update(Verb::Set, vec![series], vec![1.0])
        .unwrap();
    bench.commit();
    let page = bench.registry.page(|_| View::All);
    let (pushed, _) = pushed(&page, &[("job", "sender"), ("instance", "i"), ("z", "")]);
    let labels = [
        ("Zone", "\\ \"\n"),
        ("__name__", "a"),
        ("instance", "i"),
        ("job", "own"),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(pushed, [(labels.to_vec(), (1_f64.to_bits(), NOW))].into());
}

#[test]
fn a_long_page_is_many_requests() {
    let desc = Desc::new("a", "", Kind::Gauge).with_labels(["number"]);
    let mut bench = Bench::new(vec![desc]);
    for number in 0..10_000 {
        let series = bench.session.open(0, &[number.to_string()]).unwrap();
        let value = f64::from(number);
        bench
            .session
            .update(Verb::Set, vec![series], vec![value])
            .unwrap();
    }
    bench.commit();
    let page = bench.registry.page(|_| View::All);
    let requests: Vec<_> = page.write_requests(Vec::new(), NOW).collect();
    assert!(requests.len() > 4);
    assert!(requests.iter().all(|request| request.len() < 128 << 10));
    assert_eq!(pushed(&page, &[]).0.len(), 10_000);
}
