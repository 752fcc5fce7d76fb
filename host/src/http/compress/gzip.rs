//! gzip by zlib-rs at level 1: on pages of metrics higher levels cost three times the time for a tenth of the bytes.

use flate2::{Compress, Compression, FlushCompress, Status};

use super::{CompressError, pool::Reusable, reserve};

/// A gzip stream with the largest window, as every decoder expects.
#[derive(Debug)]
pub(super) struct Gzip {
    stream: Compress,
    /// A body was begun and not brought to its end.
    open: bool,
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            stream: Compress::new_gzip(Compression::fast(), 15),
            open: false,
        }
    }
}

impl Reusable for Gzip {
    fn reset(&mut self) -> bool {
        // At this level zlib-rs 0.6 forgets everything at a reset but that it is within a block, and the next body would
        // lack the head of its first one. So what was given up is brought to its end.
        let ended = !self.open || self.finish(&[], &mut Vec::new()).is_ok();
        self.stream.reset();
        ended
    }
}

impl Gzip {
    pub(super) fn write(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        self.open = true;
        let mut rest = input;
        while !rest.is_empty() {
            reserve(out, rest.len());
            self.run(&mut rest, out, FlushCompress::None)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        self.open = true;
        let mut rest = input;
        loop {
            reserve(out, rest.len());
            if self.run(&mut rest, out, FlushCompress::Finish)? == Status::StreamEnd {
                self.open = false;
                return Ok(());
            }
        }
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
