//! Wire formats, one file each. A format reads a page and appends bytes; families and values name no format.

mod canonical;
mod escape;
mod format;
mod frames;
mod head;
mod kept;
mod line;
mod openmetrics;
mod places;
mod point;
mod protobuf;
mod room;
mod text;

use std::ops::Range;

pub use escape::{escape_name, unescape_name};
pub use format::{Escaping, Format};
pub use frames::Frames;
pub(crate) use head::Head;
pub(crate) use kept::Kept;
pub(crate) use places::STEP;

use kept::Key;
use protobuf::Layout;

use crate::{
    block::Slice,
    page::{Page, PageFamily},
};

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

    /// Under which key the text of a family can be kept; `None` where it cannot.
    fn key(&self, _family: &PageFamily) -> Option<Key> {
        None
    }

    /// What stands behind the last family.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

fn encoder(format: Format, page: &Page) -> Box<dyn Encoder> {
    match format {
        Format::Text => Box::new(text::Text),
        Format::OpenMetrics001 | Format::OpenMetrics100 => {
            Box::new(openmetrics::OpenMetrics::new(page))
        }
        Format::ProtobufDelimited => Box::new(protobuf::Delimited::default()),
        Format::ProtobufText => Box::new(protobuf::ForPeople::new(Layout::Lines)),
        Format::ProtobufCompactText => Box::new(protobuf::ForPeople::new(Layout::Line)),
    }
}
