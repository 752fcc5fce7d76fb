//! zstd by its own library, at level 1.
//!
//! Measured on two kinds of page, on one thread, state kept; gzip level 1 beside it:
//!
//! | page | level 1 | level 3 | gzip |
//! |---|---|---|---|
//! | demo, 18.7 kB | 23 µs, 3,173 B | 41 µs, 3,145 B | 38 µs, 3,946 B |
//! | 1 MiB, 11,000 series | 1.0 ms, 89 kB | 1.9 ms, 101 kB | 2.2 ms, 167 kB |
//!
//! So level 3 costs nearly twice the time and gains nothing. A state at level 1 holds 0.1 MB after small pages, and
//! 1.4 MB once it has streamed one; at level 3 that would be 3.7 MB.

use std::fmt;

use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective};

use super::{CompressError, pool::State, reserve};

const LEVEL: i32 = 1;

/// A zstd frame in the making.
pub(super) struct Zstd {
    context: CCtx<'static>,
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").finish_non_exhaustive()
    }
}

impl Default for Zstd {
    fn default() -> Self {
        let mut context = CCtx::create();
        // Refused only for levels that do not exist; the library's own default would do then.
        let _ = context.set_parameter(CParameter::CompressionLevel(LEVEL));
        Self { context }
    }
}

impl State for Zstd {
    /// A frame of its own; decoders read one behind the other (RFC 8878, section 3.1).
    fn piece(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        let mut input = InBuffer::around(input);
        while self.run(&mut input, out)? > 0 {}
        Ok(())
    }
}

impl Zstd {
    /// One round, as far as `out` has room. Gives what the library still holds back, in bytes, roughly.
    fn run(&mut self, input: &mut InBuffer<'_>, out: &mut Vec<u8>) -> Result<usize, CompressError> {
        reserve(out, input.src.len() - input.pos());
        let written = out.len();
        let mut room = OutBuffer::around_pos(out, written);
        self.context
            .compress_stream2(&mut room, input, ZSTD_EndDirective::ZSTD_e_end)
            .map_err(|code| CompressError(zstd::zstd_safe::get_error_name(code)))
    }
}
