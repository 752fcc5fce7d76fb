#![no_main]

#[allow(dead_code, unused_imports, reason = "the host uses more of its files")]
#[path = "../host/http.rs"]
mod http;

/// What the files expect at the root of their crate.
#[allow(dead_code, reason = "named by a reply that nobody reads")]
mod host {
    pub type Body = String;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| http::negotiation::negotiation(data));
