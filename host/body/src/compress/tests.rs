#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::Read;

use super::*;

fn plain(method: Method, compressed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match method {
        Method::Gzip | Method::Lines => {
            let mut decoder = flate2::read::GzDecoder::new(compressed);
            decoder.read_to_end(&mut plain).unwrap();
        }
        Method::Zstd => {
            let mut decoder = ::zstd::Decoder::new(compressed).unwrap();
            decoder.read_to_end(&mut plain).unwrap();
        }
    }
    plain
}

const METHODS: [Method; 3] = [Method::Lines, Method::Gzip, Method::Zstd];

fn pages() -> [Vec<u8>; 4] {
    let text = "http_requests_total{code=\"200\"} 1027\n".repeat(20_000);
    // Bytes without a pattern do not shrink: the output has to grow.
    let noise = (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[0]);
    [
        Vec::new(),
        b"a 1\n".to_vec(),
        text.into_bytes(),
        noise.collect(),
    ]
}

#[test]
fn pages_come_back_whole() {
    let compressors = Compressors::default();
    for method in METHODS {
        for page in pages() {
            let whole = compressors.whole(method, &page).unwrap();
            assert!(plain(method, &whole) == page, "{method:?}");
        }
    }
    assert_eq!(compressors.0.gzip.len(), 1, "one state served all pages");
    assert_eq!(compressors.0.zstd.len(), 1, "one state served all pages");
}

#[test]
fn pieces_make_a_page() {
    let compressors = Compressors::default();
    for method in METHODS {
        // A page that comes in pieces is not empty.
        for page in pages().iter().filter(|page| !page.is_empty()) {
            for length in [1 << 20, 65_536, 7_001] {
                let mut joint = Joint::new(method);
                let mut out = Joint::head(method).to_vec();
                for piece in page.chunks(length) {
                    compressors.piece(method, piece, &mut out).unwrap();
                    joint.add(&Joint::sum_of(method, piece));
                    // What is between belongs to another page.
                    compressors.whole(method, page).unwrap();
                }
                out.extend(joint.tail());
                assert!(
                    plain(method, &out) == *page,
                    "{method:?} in pieces of {length}"
                );
            }
        }
    }
    assert_eq!(compressors.0.gzip.len(), 1, "one state served all pages");
    assert_eq!(compressors.0.zstd.len(), 1, "one state served all pages");
}
