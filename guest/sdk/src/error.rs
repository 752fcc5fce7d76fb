//! What hooks return when they fail.

/// Any error. `?` works on every error type and on text: `Err("no such device")?`.
pub type Error = Box<dyn std::error::Error>;

/// What every hook returns. The host gets an error as its text.
pub type Result<T, E = Error> = std::result::Result<T, E>;
