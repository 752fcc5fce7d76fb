//! Bodies of any number of frames, taken slowly, quickly, and not at all.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use http_body_util::BodyExt;

use super::{
    Frames, PageBody, StreamBody,
    making::{LONG, WINDOW},
};
use crate::{Coding, Compressors};

/// Appends them one by one.
fn each(mut frames: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Frames {
    Box::new(move |out| match frames.next() {
        Some(frame) => {
            out.extend_from_slice(&frame);
            true
        }
        None => false,
    })
}

/// `count` frames of a kilobyte each, and how many of them were rendered.
fn frames(count: usize) -> (Frames, Arc<AtomicUsize>) {
    let rendered = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&rendered);
    let frames = (0..count).map(move |i| {
        counter.fetch_add(1, Ordering::SeqCst);
        format!("a_total{{i=\"{i:05}\"}} 1\n")
            .repeat(48)
            .into_bytes()
    });
    (each(frames), rendered)
}

fn page(count: usize) -> Vec<u8> {
    let (mut frames, mut page) = (frames(count).0, Vec::new());
    while frames(&mut page) {}
    page
}

fn streamed(frames: Frames, coding: Coding, compressors: &Compressors) -> StreamBody {
    match PageBody::begin(frames, coding, true, compressors).unwrap() {
        PageBody::Streamed(body) => body,
        PageBody::Whole(page) => panic!("a page of {} bytes came whole", page.len()),
    }
}

fn plain(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        Coding::Identity => plain.extend_from_slice(bytes),
        Coding::Gzip => {
            let mut decoder = flate2::read::GzDecoder::new(bytes);
            decoder.read_to_end(&mut plain).unwrap();
        }
        Coding::Zstd => {
            let mut decoder = zstd::Decoder::new(bytes).unwrap();
            decoder.read_to_end(&mut plain).unwrap();
        }
    }
    plain
}

const CODINGS: [Coding; 3] = [Coding::Identity, Coding::Gzip, Coding::Zstd];

#[tokio::test]
async fn a_page_of_one_frame_or_none_is_whole() {
    let compressors = Compressors::default();
    for coding in CODINGS {
        for count in [0, 1] {
            match PageBody::begin(frames(count).0, coding, true, &compressors).unwrap() {
                PageBody::Whole(bytes) => assert!(plain(coding, &bytes) == page(count)),
                PageBody::Streamed(_) => panic!("{count} frames were streamed"),
            }
        }
    }
}

#[tokio::test]
async fn longer_pages_come_in_pieces_and_complete() {
    let compressors = Compressors::default();
    for coding in CODINGS {
        for count in [2, 3, 17, 1_500] {
            let body = streamed(frames(count).0, coding, &compressors);
            let bytes = body.collect().await.unwrap().to_bytes();
            assert!(plain(coding, &bytes) == page(count), "{coding:?} {count}");
        }
    }
}

#[tokio::test]
async fn dear_frames_and_empty_ones_change_nothing() {
    let frames = |i: usize| {
        if i.is_multiple_of(2) {
            thread::sleep(Duration::from_millis(2));
        }
        if i.is_multiple_of(3) {
            Vec::new()
        } else {
            vec![b'x'; i]
        }
    };
    let expected: Vec<u8> = (0..20).flat_map(frames).collect();
    for coding in CODINGS {
        let body = streamed(each((0..20).map(frames)), coding, &Compressors::default());
        let bytes = body.collect().await.unwrap().to_bytes();
        assert!(plain(coding, &bytes) == expected, "{coding:?}");
    }
}

#[tokio::test]
async fn frames_wait_for_the_peer() {
    // Cheap ones are made when they are asked for.
    let (cheap, rendered) = frames(1_000);
    let mut body = streamed(cheap, Coding::Identity, &Compressors::default());
    assert_eq!(rendered.load(Ordering::SeqCst), 2);
    for _ in 0..9 {
        body.frame().await.unwrap().unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    let made = rendered.load(Ordering::SeqCst);
    assert!((9..=11).contains(&made), "{made}");

    // Of dear ones, one is made ahead.
    let (dear, rendered) = frames(1_000);
    let mut dear = dear;
    let slow = move |out: &mut Vec<u8>| {
        thread::sleep(Duration::from_millis(2));
        dear(out)
    };
    let mut body = streamed(Box::new(slow), Coding::Identity, &Compressors::default());
    for _ in 0..9 {
        body.frame().await.unwrap().unwrap();
    }
    thread::sleep(Duration::from_millis(100));
    let made = rendered.load(Ordering::SeqCst);
    assert!((9..=11).contains(&made), "{made}");
}

/// Of a page that would never end, no more is made than the window holds.
#[tokio::test]
async fn compressed_pieces_wait_for_the_peer_too() {
    let cores = thread::available_parallelism().unwrap().get();
    let frame = page(1).len();
    for coding in [Coding::Gzip, Coding::Zstd] {
        let (endless, rendered) = frames(usize::MAX);
        let mut body = streamed(endless, coding, &Compressors::default());
        for given in 1..=3 {
            body.frame().await.unwrap().unwrap();
            thread::sleep(Duration::from_millis(100));
            let made = rendered.load(Ordering::SeqCst) * frame;
            let most = (WINDOW * cores + given) * (LONG + frame);
            assert!(made <= most, "{made} bytes, {most} at most");
        }
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_nothing() {
    let compressors = Compressors::default();
    for coding in CODINGS {
        let (frames, rendered) = frames(1_000);
        drop(streamed(frames, coding, &compressors));
        thread::sleep(Duration::from_millis(20));
        assert_eq!(rendered.load(Ordering::SeqCst), 2, "{coding:?}");
    }
}

#[tokio::test]
async fn a_peer_that_leaves_stops_the_work() {
    let compressors = Compressors::default();
    for coding in [Coding::Gzip, Coding::Zstd] {
        let (all, rendered) = frames(1_000_000);
        let mut body = streamed(all, coding, &compressors);
        body.frame().await.unwrap().unwrap();
        drop(body);
        // The piece that was being made comes to its end, and lets go of the page.
        while Arc::strong_count(&rendered) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(rendered.load(Ordering::SeqCst) < 1_000_000);
    }
}

#[tokio::test]
async fn a_panic_of_an_encoder_is_an_error_of_the_body() {
    let broken = |i: usize| {
        if i < 5 {
            vec![b'x'; 10]
        } else {
            panic!("broken")
        }
    };
    let body = streamed(
        each((0..9).map(broken)),
        Coding::Gzip,
        &Compressors::default(),
    );
    assert!(body.collect().await.is_err());
}
