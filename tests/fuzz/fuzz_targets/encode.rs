#![no_main]

#[path = "../exercises/encode.rs"]
mod encode;

libfuzzer_sys::fuzz_target!(|data: &[u8]| encode::encode(data));
