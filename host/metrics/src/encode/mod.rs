//! Wire formats, one file each. A format reads a page and appends bytes; families and values name no format.

mod format;
mod frames;
mod text;

use std::{ops::Range, time::Instant};

pub use format::{Escaping, Format};
pub use frames::Frames;

use crate::{block::Slice, page::PageFamily};

/// Writes the parts of a page in their order.
pub(crate) trait Encoder: std::fmt::Debug + Send {
    /// What stands before the series of a family.
    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>);

    /// Some of the series of a block, of the family that was begun last.
    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    );

    /// What stands behind the series of a family.
    fn end_family(&mut self, _family: &PageFamily, _out: &mut Vec<u8>) {}

    /// What stands behind the last family.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

fn encoder(format: Format, now: Instant) -> Box<dyn Encoder> {
    match format {
        // The other formats are not written yet; negotiation offers text alone.
        _ => Box::new(text::Text::new(now)),
    }
}
