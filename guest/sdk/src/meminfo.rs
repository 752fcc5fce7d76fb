//! Memory figures of the machine. Needs the grant `meminfo`.

pub use crate::bindings::imports::meminfo::Entry;

use crate::Result;
use crate::bindings::imports::meminfo;

/// Every line of the kernel's `/proc/meminfo`, in its order. Read once for a scrape and shared by all plugins that
/// ask.
///
/// # Errors
/// Says what could not be read, or which grant is missing.
pub fn read() -> Result<Vec<Entry>> {
    Ok(meminfo::read()?)
}
