//! One call into a guest: its clocks, the wait for it, and what became of it.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::runtime::Handle;
use wasmtime::Store;

use crate::{
    engine::{CpuClock, EPOCH, Fault, Metered, State},
    limits::Limit,
};

/// How much later than its deadline a call may notice that it is over. Guest code notices in the next epoch; what is left
/// is a host call that hangs, and is given up.
pub(super) const GRACE: Duration = EPOCH.saturating_mul(2);

/// A call into a guest that is about to be made.
pub(super) struct Call {
    deadline: Instant,
    cpu: Arc<CpuClock>,
    /// Of the threads on which it waits for files.
    disk: Option<Handle>,
}

/// How a call ended.
pub(super) enum Ended<T> {
    Returned(wasmtime::Result<T>),
    /// It hung in the host, and was given up.
    Hung,
}

/// Starts the clocks of a call.
pub(super) fn arm(store: &mut Store<State>, deadline: Instant, by: Limit) -> Call {
    store.set_epoch_deadline(1);
    let State {
        meter, identity, ..
    } = store.data_mut();
    meter.arm(deadline, by);
    Call {
        deadline,
        cpu: Arc::clone(meter.cpu()),
        disk: identity.grants.disk().map(|disk| disk.handle().clone()),
    }
}

impl Call {
    /// Waits for the call. Guest code is stopped by the epoch; this also ends the wait for a host call that hangs.
    pub(super) async fn run<T>(self, call: impl Future<Output = wasmtime::Result<T>>) -> Ended<T> {
        let mut call = Metered::new(call, self.cpu);
        let call = poll_fn(|cx| {
            let _entered = self.disk.as_ref().map(Handle::enter);
            Pin::new(&mut call).poll(cx)
        });
        let ended = tokio::time::timeout_at((self.deadline + GRACE).into(), call).await;
        ended.map_or(Ended::Hung, Ended::Returned)
    }
}

/// What became of a call.
pub(super) fn judge<T>(
    store: &Store<State>,
    export: &'static str,
    ended: Ended<T>,
) -> Result<T, Fault> {
    let State {
        meter, identity, ..
    } = store.data();
    meter.book();
    let fault = match ended {
        Ended::Returned(Ok(answer)) => return Ok(answer),
        Ended::Returned(Err(error)) => Fault::from_call(export, &error, meter, &identity.limits),
        Ended::Hung => Fault::limit(meter.deadline_limit(), export, &identity.limits),
    };
    if let Some(limit) = fault.limit.filter(|limit| meter.refused() != Some(*limit)) {
        identity.usage.deny(limit);
    }
    Err(fault)
}
