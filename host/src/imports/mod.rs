//! What the host does for a guest, one import per file.

pub(crate) mod config;
pub(crate) mod exemplars;
pub(crate) mod instruments;
pub(crate) mod log;
pub(crate) mod meminfo;
pub(crate) mod recent;
pub(crate) mod stdio;
