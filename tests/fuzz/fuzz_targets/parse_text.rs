#![no_main]

#[allow(dead_code, reason = "the other format's is here, too")]
#[path = "../exercises/pages.rs"]
mod pages;

libfuzzer_sys::fuzz_target!(|page: &str| pages::text(page));
