//! Random numbers from the host.

use wasip2::random::random::get_random_u64;

/// Uniform in [0, 1).
pub fn unit() -> f64 {
    // A double has 53 bits of precision.
    (get_random_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform among the whole numbers from 0 to `bound`, without `bound`.
///
/// # Panics
/// If `bound` is 0.
pub fn below(bound: u32) -> u32 {
    assert!(bound > 0, "there is no number below 0");
    (unit() * f64::from(bound)) as u32
}
