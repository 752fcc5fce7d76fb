//! What the page's own compressor writes, others' decoders read.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use std::io::Read;

use flate2::read::GzDecoder;
use meterbox_metrics::gzip::Gzip;
use proptest::{collection::vec, prelude::*};

fn compress(gzip: &mut Gzip, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    pieces.iter().for_each(|piece| gzip.push(piece, &mut out));
    gzip.finish(&mut out);
    out
}

fn decompress(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

fn counters(count: u32) -> String {
    let line = |pod| {
        let value = pod * 7919 % 1_000_000;
        format!(
            "bench_operations_042_total{{handler=\"GET /item/id\",namespace=\"namespace-07\",pod=\"pod-{pod:08}\"}} {value}\n"
        )
    };
    (0..count).map(line).collect()
}

#[test]
fn a_page_of_counters_is_small() {
    let page = counters(20_000);
    let compressed = compress(&mut Gzip::default(), &[page.as_bytes()]);
    assert_eq!(decompress(&compressed), page.as_bytes());
    // A general compressor at its default level takes more than eight bytes a line.
    assert!(compressed.len() < 8 * 20_000, "{} bytes", compressed.len());
}

#[test]
fn one_compressor_serves_many_pages() {
    let mut gzip = Gzip::default();
    for page in [
        counters(3),
        String::new(),
        counters(5_000),
        "\n".to_owned(),
        counters(3),
    ] {
        assert_eq!(
            decompress(&compress(&mut gzip, &[page.as_bytes()])),
            page.as_bytes()
        );
    }
    let first = compress(&mut gzip, &[counters(3).as_bytes()]);
    gzip.push(counters(9).as_bytes(), &mut Vec::new());
    gzip.reset();
    assert_eq!(compress(&mut gzip, &[counters(3).as_bytes()]), first);
}

#[test]
fn long_runs_and_long_lines() {
    let long = format!("{}\n{0}\n{}\"{0}\n", "x".repeat(100_000), "y".repeat(300));
    for text in [
        long.as_str(),
        &"\n".repeat(70_000),
        &"a\n".repeat(200_000),
        &"\"\n\"\"\n".repeat(999),
    ] {
        assert_eq!(
            decompress(&compress(&mut Gzip::default(), &[text.as_bytes()])),
            text.as_bytes()
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(text in vec(any::<u8>(), 0..5000), cuts in vec(0..5000usize, 0..5)) {
        check(&text, cuts);
    }

    #[test]
    fn anything_like_a_page(
        lines in vec((0..9usize, "[a-c\"{}= ]{0,20}", 0..2_000_000u32), 0..3000),
        cuts in vec(0..100_000usize, 0..5),
    ) {
        let mut text = String::new();
        for (family, label, value) in lines {
            let name = ["a_total", "b", "some_longer_name_seconds_bucket"][family % 3];
            text += &format!("{name}{{handler=\"{label}\",le=\"{family}\"}} {value}\n");
        }
        check(text.as_bytes(), cuts);
    }
}

fn check(text: &[u8], mut cuts: Vec<usize>) {
    cuts.iter_mut()
        .for_each(|cut| *cut = (*cut).min(text.len()));
    cuts.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([text.len()]) {
        pieces.push(&text[from..cut]);
        from = cut;
    }
    assert_eq!(decompress(&compress(&mut Gzip::default(), &pieces)), text);
}
