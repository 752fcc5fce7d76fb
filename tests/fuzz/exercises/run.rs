//! Fuzzing without a fuzzer: the corpus of a target, each of its inputs a little changed, and bytes of no meaning.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng},
};

/// How long random inputs are made; METERBOX_FUZZ_SECONDS says otherwise.
const SECONDS: u64 = 2;

/// Runs a target. What it had in hand is printed when it panics.
pub fn run(target: &str, exercise: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|at| at.join("tests/fuzz/corpus"));
    let corpus = corpus
        .filter_map(|at| fs::read_dir(at.join(target)).ok())
        .next();
    let files = corpus.expect("a corpus").map(|entry| entry.unwrap().path());
    let seeds: Vec<Vec<u8>> = files.map(|file| fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty(), "the corpus of {target} is empty");
    let exercise = |data: &[u8]| {
        let shown = Shown(data);
        exercise(data);
        std::mem::forget(shown);
    };
    seeds.iter().for_each(|seed| exercise(seed));

    let seconds = std::env::var("METERBOX_FUZZ_SECONDS").ok();
    let seconds = seconds
        .and_then(|text| text.parse().ok())
        .unwrap_or(SECONDS);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    while Instant::now() < end {
        let mut data = seeds[rng.random_range(0..seeds.len())].clone();
        if rng.random_bool(0.5) {
            data = (0..rng.random_range(0..600))
                .map(|_| rng.random())
                .collect();
        }
        for _ in 0..rng.random_range(0..8) {
            if !data.is_empty() {
                let at = rng.random_range(0..data.len());
                match rng.random_range(0..3) {
                    0 => data[at] = rng.random(),
                    1 => data.truncate(at),
                    _ => data.insert(at, rng.random()),
                }
            }
        }
        exercise(&data);
    }
}

/// Prints an input that is not done with.
struct Shown<'a>(&'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        eprintln!("with the input {:?}", self.0);
    }
}
