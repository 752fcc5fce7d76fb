//! Measures a plugin: what a start, an instance and a collect cost.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::{Spread, StartTimes, Trial};
use crate::Fault;

/// Instances that are made to time the making.
const INSTANCES: usize = 200;

/// Instances that are held together to see what one takes of the process's memory.
const HELD: usize = 32;

/// What a bench has measured.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The start: load has the compiling in it.
    pub start: StartTimes,
    /// Making an instance.
    pub instantiate: Spread,
    /// One collect: the calls, and the host's work on what they returned.
    pub collect: Spread,
    /// How many collects were made.
    pub collects: usize,
    /// Series after the last one.
    pub series: usize,
    /// Bytes of linear memory of one instance.
    pub memory: u64,
    /// Bytes that the process grew by for one instance more; `None` where the kernel does not say.
    pub resident: Option<u64>,
    /// Processor time of all calls, those of the start included.
    pub cpu: Duration,
}

/// Makes instances, then collects for this long.
///
/// # Errors
///
/// The first call that failed.
pub async fn bench(trial: &mut Trial, time: Duration) -> Result<Bench, Fault> {
    let mut instantiate = Vec::with_capacity(INSTANCES);
    for _ in 0..INSTANCES {
        let begin = Instant::now();
        let spare = trial.instantiate().await?;
        instantiate.push(begin.elapsed());
        drop(spare);
    }
    let before = resident();
    let mut held = Vec::with_capacity(HELD);
    for _ in 0..HELD {
        held.push(trial.instantiate().await?);
    }
    let resident = before.zip(resident()).map(|(before, after)| {
        let grown = after.saturating_sub(before);
        grown / HELD as u64
    });
    drop(held);
    let mut collects = Vec::new();
    let end = Instant::now() + time;
    // One at least, however little time there is.
    while collects.is_empty() || Instant::now() < end {
        let collected = trial.collect().await;
        if let Some(fault) = collected.fault {
            return Err(fault);
        }
        collects.push(collected.took);
    }
    Ok(Bench {
        start: trial.start_times(),
        instantiate: Spread::of(instantiate),
        collects: collects.len(),
        collect: Spread::of(collects),
        series: trial.series(),
        memory: trial.memory(),
        resident,
        cpu: trial.cpu(),
    })
}

/// Bytes of this process in memory.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
