//! gzip by zlib-rs at level 1: on pages of metrics higher levels cost three times the time for a tenth of the bytes.

use flate2::{Compress, Compression, FlushCompress, Status};
use meterbox_metrics::gzip::{HEAD, Sum};

use super::{CompressError, pool::State, reserve};

/// A deflate stream with the largest window, as every decoder expects.
#[derive(Debug)]
pub(super) struct Gzip {
    stream: Compress,
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            stream: Compress::new(Compression::fast(), false),
        }
    }
}

impl State for Gzip {
    /// Blocks that end at the border of a byte, and look back at nothing before them.
    fn piece(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        let mut rest = input;
        loop {
            // There must be room left, or there may be more to come.
            reserve(out, rest.len());
            self.run(&mut rest, out, FlushCompress::Full)?;
            if rest.is_empty() && out.len() < out.capacity() {
                return Ok(());
            }
        }
    }
}

impl Gzip {
    /// A whole member.
    pub(super) fn whole(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        out.extend_from_slice(&HEAD);
        let mut rest = input;
        loop {
            reserve(out, rest.len());
            if self.run(&mut rest, out, FlushCompress::Finish)? == Status::StreamEnd {
                break;
            }
        }
        self.stream.reset();
        out.extend_from_slice(&Sum::of(input).trailer());
        Ok(())
    }

    /// One round, as far as `out` has room.
    fn run(
        &mut self,
        rest: &mut &[u8],
        out: &mut Vec<u8>,
        flush: FlushCompress,
    ) -> Result<Status, CompressError> {
        let before = self.stream.total_in();
        let status = self
            .stream
            .compress_vec(rest, out, flush)
            .map_err(|_| CompressError("the gzip stream is in disorder"))?;
        let taken = usize::try_from(self.stream.total_in() - before).unwrap_or(usize::MAX);
        *rest = rest.get(taken..).unwrap_or_default();
        Ok(status)
    }
}
