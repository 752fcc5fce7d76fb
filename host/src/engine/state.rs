//! What a store holds for its one instance.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::Session;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, Result as HttpResult, WasiBody, WasiHttpCtx,
    WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::{config::Grants, imports::meminfo::Reading};

/// Who a plugin is and what the operator gave it; the same for all its instances.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The name in the config.
    pub(crate) name: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) grants: Grants,
    /// Wall-clock limit of one call.
    pub(crate) timeout: Duration,
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) identity: Arc<Identity>,
    /// Present once the families are registered.
    pub(crate) session: Option<Session>,
    /// The memory figures of the scrape on whose behalf the guest runs.
    pub(crate) meminfo: Arc<Reading>,
    /// When the running call has to be over.
    pub(crate) deadline: Instant,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoRequests,
    table: ResourceTable,
}

impl State {
    pub(crate) fn new(identity: Arc<Identity>) -> Self {
        Self {
            identity,
            session: None,
            meminfo: Arc::default(),
            deadline: Instant::now(),
            // No environment, arguments, files, sockets or names; streams lead nowhere.
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            hooks: NoRequests,
            table: ResourceTable::new(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Nothing is granted, so every outgoing request is denied.
struct NoRequests;

/// What a request in flight reports about itself once it is sent.
type Sent = Box<dyn Future<Output = HttpResult<()>> + Send>;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = HttpResult<(http::Response<WasiBody>, Sent)>> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }
}
