#![no_main]

use std::io::Read;

use flate2::read::GzDecoder;
use libfuzzer_sys::fuzz_target;
use meterbox_metrics::gzip::{HEAD, Sum, compress};

// The first byte says how often the rest stands in the page, since only long pages are sampled, and the second how long
// pieces are.
fuzz_target!(|bytes: &[u8]| {
    let [times, length, text @ ..] = bytes else {
        return;
    };
    let page = text.repeat(1 + usize::from(*times));
    let mut member = HEAD.to_vec();
    let mut sum = Sum::default();
    for piece in page.chunks(1 + (usize::from(*length) << 10)) {
        compress(piece, &mut member);
        sum.append(&Sum::of(piece));
    }
    member.extend_from_slice(&sum.tail());
    let mut read = Vec::new();
    GzDecoder::new(member.as_slice())
        .read_to_end(&mut read)
        .expect("what was written can be read");
    assert!(read == page);
});
