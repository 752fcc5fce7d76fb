//! What one store has used up, and the refusal of more.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use wasmtime::{ResourceLimiter, Result, UpdateDeadline};

use super::cpu::CpuClock;
use crate::limits::{Limit, Limits};

/// Counts for one store. Lives in its data.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Arc<Limits>,
    usage: Arc<Usage>,
    /// Bytes of all linear memories, and elements of all tables.
    memory: usize,
    table_elements: usize,
    host_calls: usize,
    /// When the running call has to be over, and by which limit.
    deadline: (Instant, Limit),
    /// The processor time that it may use; none while the instance starts.
    cpu_limit: Duration,
    cpu: Arc<CpuClock>,
    /// Why the running call was stopped.
    stopped: Option<Limit>,
    /// What the running call was refused; the guest may not have borne it.
    refused: Option<Limit>,
}

/// What a plugin has used, over all its instances.
#[derive(Debug)]
pub(crate) struct Usage {
    cpu_nanos: AtomicU64,
    used: Vec<AtomicU64>,
    denied: Vec<AtomicU64>,
}

impl Default for Usage {
    fn default() -> Self {
        let zeros = || Limit::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self {
            cpu_nanos: AtomicU64::new(0),
            used: zeros(),
            denied: zeros(),
        }
    }
}

impl Usage {
    /// Processor time of all calls.
    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu_nanos.load(Relaxed))
    }

    /// What the last call, or the instance that made it, took of a limit: nanoseconds, bytes or a number.
    pub(crate) fn used(&self, limit: Limit) -> u64 {
        self.used[limit as usize].load(Relaxed)
    }

    pub(crate) fn set(&self, limit: Limit, used: u64) {
        self.used[limit as usize].store(used, Relaxed);
    }

    /// How often a limit was met.
    pub(crate) fn denied(&self, limit: Limit) -> u64 {
        self.denied[limit as usize].load(Relaxed)
    }

    pub(crate) fn deny(&self, limit: Limit) {
        self.denied[limit as usize].fetch_add(1, Relaxed);
    }
}

impl Meter {
    pub(super) fn new(limits: Arc<Limits>, usage: Arc<Usage>) -> Self {
        Self {
            limits,
            usage,
            memory: 0,
            table_elements: 0,
            host_calls: 0,
            deadline: (Instant::now(), Limit::Timeout),
            cpu_limit: Duration::MAX,
            cpu: Arc::default(),
            stopped: None,
            refused: None,
        }
    }

    /// Starts the clocks of a call.
    pub(crate) fn arm(&mut self, deadline: Instant, by: Limit) {
        self.deadline = (deadline, by);
        self.cpu_limit = match by {
            Limit::StartTimeout => Duration::MAX,
            _ => self.limits.cpu,
        };
        self.cpu.reset();
        self.host_calls = 0;
        self.stopped = None;
        self.refused = None;
    }

    /// Books what the call has used.
    pub(crate) fn book(&self) {
        let cpu = self.cpu.used().as_nanos() as u64;
        self.usage.cpu_nanos.fetch_add(cpu, Relaxed);
        self.usage.set(Limit::Cpu, cpu);
        self.usage.set(Limit::HostCalls, self.host_calls as u64);
        self.usage.set(Limit::Memory, self.memory as u64);
        let elements = self.table_elements as u64;
        self.usage.set(Limit::TableElements, elements);
    }

    pub(crate) fn cpu(&self) -> &Arc<CpuClock> {
        &self.cpu
    }

    /// Which limit the deadline comes from.
    pub(crate) fn deadline_limit(&self) -> Limit {
        self.deadline.1
    }

    pub(crate) fn stopped(&self) -> Option<Limit> {
        self.stopped
    }

    pub(crate) fn refused(&self) -> Option<Limit> {
        self.refused
    }

    /// Whether the guest may go on; asked in each epoch.
    pub(super) fn check(&mut self) -> UpdateDeadline {
        let (deadline, by) = self.deadline;
        self.stopped = if self.host_calls > self.limits.host_calls {
            Some(Limit::HostCalls)
        } else if self.cpu.running() >= self.cpu_limit {
            Some(Limit::Cpu)
        } else if Instant::now() >= deadline {
            Some(by)
        } else {
            None
        };
        match self.stopped {
            Some(_) => UpdateDeadline::Interrupt,
            None => UpdateDeadline::Yield(1),
        }
    }

    /// Counts a call into the host, and ends the guest's call at the first that is too many.
    pub(crate) fn host_call(&mut self) -> Result<()> {
        self.count_host_call();
        if self.host_calls > self.limits.host_calls {
            return Err(Exceeded(Limit::HostCalls).into());
        }
        Ok(())
    }

    /// Counts a call into the host where nothing can be said against it; the next epoch will.
    pub(super) fn count_host_call(&mut self) {
        self.host_calls += 1;
    }

    fn grow(&mut self, limit: Limit, current: usize, desired: usize, most: Option<usize>) -> bool {
        if most.is_some_and(|most| desired > most) {
            // It will fail by itself.
            return true;
        }
        let (used, allowed) = match limit {
            Limit::Memory => (&mut self.memory, self.limits.memory),
            _ => (&mut self.table_elements, self.limits.table_elements),
        };
        // What the system then fails to provide stays booked: there is no telling which failure belongs to which request.
        let wanted = used.saturating_add(desired.saturating_sub(current));
        if wanted > allowed {
            self.refused = Some(limit);
            self.usage.deny(limit);
            return false;
        }
        *used = wanted;
        true
    }
}

/// All memories of a store count together, and so do all tables.
impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(self.grow(Limit::Memory, current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(self.grow(Limit::TableElements, current, desired, maximum))
    }

    fn instances(&self) -> usize {
        self.limits.core_instances
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }
}

/// A limit that ends the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exceeded(pub(crate) Limit);

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit {} is used up", self.0)
    }
}

impl std::error::Error for Exceeded {}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limits: Limits) -> Meter {
        Meter::new(Arc::new(limits), Arc::default())
    }

    #[test]
    fn memories_count_together() {
        let mut meter = meter(Limits {
            memory: 100,
            ..Limits::default()
        });
        assert!(meter.grow(Limit::Memory, 0, 60, None));
        assert!(meter.grow(Limit::Memory, 0, 40, None));
        assert!(!meter.grow(Limit::Memory, 40, 41, None));
        assert_eq!(meter.refused(), Some(Limit::Memory));
        assert_eq!(meter.usage.denied(Limit::Memory), 1);
        assert_eq!((meter.memory, meter.table_elements), (100, 0));
    }

    /// Else a guest could have its own failures given back to it again and again.
    #[test]
    fn what_its_own_maximum_refuses_is_not_counted() {
        let mut meter = meter(Limits::default());
        assert!(meter.grow(Limit::Memory, 10, usize::MAX, Some(20)));
        assert_eq!(meter.memory, 0);
        assert!(!meter.grow(Limit::Memory, 10, usize::MAX, None));
    }

    #[test]
    fn one_host_call_too_many() {
        let mut meter = meter(Limits {
            host_calls: 2,
            ..Limits::default()
        });
        meter.arm(Instant::now() + Duration::from_secs(60), Limit::Timeout);
        assert!(meter.host_call().is_ok() && meter.host_call().is_ok());
        let error = meter.host_call().expect_err("one too many");
        let Exceeded(limit) = error.downcast_ref().expect("says which");
        assert_eq!(*limit, Limit::HostCalls);
        assert!(matches!(meter.check(), UpdateDeadline::Interrupt));
        assert_eq!(meter.stopped(), Some(Limit::HostCalls));
    }

    #[test]
    fn says_which_clock_ran_out() {
        let mut meter = meter(Limits::default());
        meter.arm(Instant::now(), Limit::StartTimeout);
        meter.check();
        assert_eq!(meter.stopped(), Some(Limit::StartTimeout));
        meter.arm(Instant::now() + Duration::from_secs(60), Limit::Timeout);
        assert!(matches!(meter.check(), UpdateDeadline::Yield(1)));
    }
}
