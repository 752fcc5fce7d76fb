//! What the page's own compressor writes, others' decoders read.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use std::{
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use flate2::read::GzDecoder;
use meterbox_metrics::gzip::{HEAD, Sum, compress};
use proptest::{collection::vec, prelude::*};

/// A gzip member of these pieces.
fn member(pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = HEAD.to_vec();
    let mut sum = Sum::default();
    for piece in pieces {
        compress(piece, &mut out);
        sum.append(&Sum::of(piece));
    }
    out.extend_from_slice(&sum.tail());
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
    let compressed = member(&[page.as_bytes()]);
    assert_eq!(decompress(&compressed), page.as_bytes());
    // A general compressor at its default level takes more than eight bytes a line.
    assert!(compressed.len() < 8 * 20_000, "{} bytes", compressed.len());
}

#[test]
fn pieces_of_any_length_are_one_page() {
    let page = counters(30_000);
    for length in [1 << 10, 40 << 10, 41 << 10, 100_001, 3 << 20] {
        let pieces: Vec<&[u8]> = page.as_bytes().chunks(length).collect();
        assert!(decompress(&member(&pieces)) == page.as_bytes(), "{length}");
    }
    assert_eq!(decompress(&member(&[])), b"");
    assert_eq!(decompress(&member(&[b"", b"a", b""])), b"a");
}

/// Python's zlib is the reference implementation. Skipped where `make judges` has not fetched a Python.
#[test]
fn python_reads_it_too() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/judges/venv/bin/python");
    if !python.is_file() {
        let required =
            std::env::var_os("METERBOX_REQUIRE_JUDGES").is_some_and(|value| value == "1");
        assert!(!required, "Python is missing; `make judges` fetches it");
        return;
    }
    let page = counters(30_000);
    let pieces: Vec<&[u8]> = page.as_bytes().chunks(100_001).collect();
    let program =
        "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";
    let mut judge = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all before it says anything.
    let mut stdin = judge.stdin.take().unwrap();
    stdin.write_all(&member(&pieces)).unwrap();
    drop(stdin);
    let said = judge.wait_with_output().unwrap();
    assert!(said.stdout == page.as_bytes());
}

/// What the sample that makes the codes has not seen can be written all the same.
#[test]
fn a_sample_is_not_all() {
    let page = counters(4_000);
    let bytes: Vec<u8> = (0..=255).collect();
    for place in [0, page.len() / 2, page.len()] {
        let text = [&page.as_bytes()[..place], &bytes, &page.as_bytes()[place..]].concat();
        assert!(decompress(&member(&[&text])) == text, "{place}");
    }
}

#[test]
fn long_runs_and_long_lines() {
    let long = format!("{}\n{0}\n{}\"{0}\n", "x".repeat(100_000), "y".repeat(300));
    for text in [
        long.as_str(),
        &"\n".repeat(70_000),
        &"a\n".repeat(200_000),
        &"\"\n\"\"\n".repeat(999),
        &"\"\n\"\"\n".repeat(99_999),
    ] {
        assert_eq!(decompress(&member(&[text.as_bytes()])), text.as_bytes());
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
    assert_eq!(decompress(&member(&pieces)), text);
}
