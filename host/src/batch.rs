//! Scrapes that come in together take one page.
//!
//! Under load the runtime finds several requests at once. The first of them opens a batch and lets the others go first, which join
//! it; then it closes the batch and makes the page for all. So no page is older than a request that it answers. Those who want it
//! written alike share the bytes as well.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use meterbox_body::Coding;
use meterbox_metrics::{
    Page,
    encode::{Escaping, Format},
};
use tokio::sync::{OnceCell, watch};

/// How a page goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wire {
    pub(crate) format: Format,
    pub(crate) escaping: Escaping,
    pub(crate) coding: Coding,
}

/// A whole page as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) bytes: Bytes,
    /// Families that are not on it.
    pub(crate) dropped: Arc<[String]>,
}

/// A page for all who came in together.
#[derive(Debug)]
pub(crate) struct Shared {
    page: Page,
    written: Mutex<HashMap<Wire, Arc<OnceCell<Option<Written>>>>>,
}

impl Shared {
    pub(crate) fn new(page: Page) -> Arc<Self> {
        Arc::new(Self {
            page,
            written: Mutex::default(),
        })
    }

    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    /// The page as `write` writes it, which is called for one of those who want it alike while the others wait. `None` where
    /// it cannot be shared, being too long to be made whole.
    pub(crate) async fn written(
        &self,
        wire: Wire,
        write: impl FnOnce() -> Option<Written>,
    ) -> Option<Written> {
        let cell = {
            let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(wire).or_default())
        };
        cell.get_or_init(async || write()).await.clone()
    }
}

/// The batch that can be joined, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    /// When its page is made at the latest.
    deadline: Instant,
    page: watch::Receiver<Option<Arc<Shared>>>,
}

enum Role {
    Lead(watch::Sender<Option<Arc<Shared>>>),
    Join(watch::Receiver<Option<Arc<Shared>>>),
}

impl Batches {
    /// The page of the batch that is open, or else of `gather`, which takes until `deadline` at the latest and says whether the
    /// page has everything. One that has not may have more for somebody with more time: it is not shared.
    pub(crate) async fn page(
        &self,
        deadline: Instant,
        gather: impl Future<Output = (Page, bool)>,
    ) -> Arc<Shared> {
        let lead = match self.enter(deadline) {
            Role::Lead(lead) => lead,
            Role::Join(mut shared) => {
                // An error: it is not shared, or who made it has left.
                if let Ok(shared) = shared.wait_for(Option::is_some).await
                    && let Some(page) = &*shared
                {
                    return Arc::clone(page);
                }
                return Shared::new(gather.await.0);
            }
        };
        tokio::task::yield_now().await;
        self.close(&lead);
        let (page, is_complete) = gather.await;
        let page = Shared::new(page);
        if is_complete {
            lead.send_replace(Some(Arc::clone(&page)));
        }
        page
    }

    fn enter(&self, deadline: Instant) -> Role {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let joinable = open
            .as_ref()
            .filter(|open| open.deadline <= deadline && open.page.has_changed().is_ok());
        if let Some(open) = joinable {
            return Role::Join(open.page.clone());
        }
        let (lead, page) = watch::channel(None);
        *open = Some(Open { deadline, page });
        Role::Lead(lead)
    }

    fn close(&self, lead: &watch::Sender<Option<Arc<Shared>>>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody with less time may have opened another.
        open.take_if(|open| lead.subscribe().same_channel(&open.page));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::{future::ready, task::Poll, time::Duration};

    use meterbox_metrics::{Registry, View};

    use super::*;

    /// A page with this number, made when it is asked for.
    async fn gather(number: u32, is_complete: bool) -> (Page, bool) {
        let registry = Registry::default();
        let gauge = registry.own_gauge("number", "", []).unwrap();
        gauge.with([]).set(number.into());
        (registry.page(|_| View::All), is_complete)
    }

    fn number(shared: &Arc<Shared>) -> u32 {
        let text = shared.page.to_bytes(Format::Text, Escaping::default());
        let text = String::from_utf8(text).unwrap();
        text.rsplit(' ').next().unwrap().trim().parse().unwrap()
    }

    /// Polls it once, after which it must still wait.
    async fn begin(page: &mut std::pin::Pin<Box<impl Future<Output = Arc<Shared>>>>) {
        let polled = std::future::poll_fn(|cx| Poll::Ready(page.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }

    #[tokio::test]
    async fn who_comes_before_it_is_closed_gets_the_same_page() {
        let batches = Batches::default();
        let now = Instant::now();
        let mut first = Box::pin(batches.page(now, gather(1, true)));
        begin(&mut first).await;
        let mut second = Box::pin(batches.page(now, gather(2, true)));
        begin(&mut second).await;
        let mut hasty = Box::pin(batches.page(now - Duration::from_secs(1), gather(3, true)));
        begin(&mut hasty).await;
        assert_eq!(number(&first.await), 1);
        assert_eq!(number(&second.await), 1);
        assert_eq!(number(&hasty.await), 3, "the other has more time than it");
        assert_eq!(number(&batches.page(now, gather(4, true)).await), 4);
    }

    #[tokio::test]
    async fn nobody_joins_a_page_that_is_being_made() {
        let batches = Batches::default();
        let now = Instant::now();
        let mut first = Box::pin(batches.page(now, std::future::pending()));
        begin(&mut first).await;
        tokio::task::yield_now().await;
        begin(&mut first).await;
        assert_eq!(number(&batches.page(now, gather(2, true)).await), 2);
    }

    #[tokio::test]
    async fn pages_that_lack_something_and_those_of_who_left_are_not_shared() {
        let batches = Batches::default();
        let now = Instant::now();
        for leaves in [false, true] {
            let mut first = Box::pin(batches.page(now, gather(1, false)));
            begin(&mut first).await;
            let mut second = Box::pin(batches.page(now, gather(2, true)));
            begin(&mut second).await;
            if leaves {
                drop(first);
            } else {
                assert_eq!(number(&first.await), 1);
            }
            assert_eq!(number(&second.await), 2);
        }
        let page = ready(gather(3, true).await);
        assert_eq!(number(&batches.page(now, page).await), 3);
    }

    #[tokio::test]
    async fn who_wants_it_alike_shares_the_bytes() {
        let shared = Shared::new(gather(1, true).await.0);
        let wire = |coding| Wire {
            format: Format::Text,
            escaping: Escaping::default(),
            coding,
        };
        let written = |bytes: &'static str| {
            Some(Written {
                bytes: Bytes::from(bytes),
                dropped: Arc::default(),
            })
        };
        let bytes = async |coding, what| {
            let written = shared.written(wire(coding), || what).await;
            written.map(|written| written.bytes)
        };
        let first = bytes(Coding::Identity, written("a")).await;
        assert_eq!(first.unwrap(), "a");
        assert_eq!(bytes(Coding::Identity, written("b")).await.unwrap(), "a");
        assert_eq!(bytes(Coding::Gzip, written("c")).await.unwrap(), "c");
        assert_eq!(bytes(Coding::Zstd, None).await, None);
        assert_eq!(
            bytes(Coding::Zstd, written("d")).await,
            None,
            "it is too long"
        );
    }
}
