//! HTTP bodies of metrics pages.
//!
//! [`PageBody::begin`] renders the beginning of a page. A small page is there whole then, with its length; a large one is
//! a [`StreamBody`], which renders and compresses pieces of it while the peer takes them. [`Compressors`] are what the
//! pages of a server share: the states of idle compressors, and the count of threads at work.
//!
//! It is a crate of its own so that whoever measures it can have it without a WebAssembly engine.

#![forbid(unsafe_code)]

mod coding;
mod compress;
mod stream;

pub use coding::Coding;
pub use compress::{CompressError, Compressors};
pub use stream::{Frames, PageBody, StreamBody};

/// What ends a body that cannot be completed.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
