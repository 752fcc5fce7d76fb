//! A panic of the host on behalf of a plugin is a fault like any other: the plugin's task lives on.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use super::Fault;

/// Waits for a call. What it was working on must not be used any more if this is a [`FaultKind::Host`](super::FaultKind).
pub(crate) async fn guard<T>(
    export: &'static str,
    call: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let mut call = pin!(call);
    std::future::poll_fn(|context| {
        // The instance is dropped, and metrics are only ever appended to or overwritten.
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
            Ok(polled) => polled,
            Err(payload) => Poll::Ready(Err(Fault::panic(export, &*payload))),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{super::FaultKind, *};

    #[tokio::test]
    async fn a_panic_becomes_a_fault() {
        let fault = guard("collect", async {
            tokio::task::yield_now().await;
            if true {
                panic!("out of {}\n", "ideas");
            }
            Ok(())
        })
        .await
        .expect_err("it panics");
        assert_eq!(fault.kind, FaultKind::Host);
        assert_eq!(
            fault.to_string(),
            "the host failed in collect: out of ideas\\n"
        );
        assert!(fault.is_fatal());
    }
}
