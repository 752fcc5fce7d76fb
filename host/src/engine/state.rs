//! What a store holds for its one instance.

use std::{collections::BTreeMap, sync::Arc};

use meterbox_metrics::Session;
use wasmtime::{Engine, Store, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, Result as HttpResult, WasiBody, WasiHttpCtx,
    WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::meter::{Meter, Usage};
use crate::{
    config::Grants,
    imports::{log::LogQuota, meminfo::Reading},
    limits::Limits,
};

/// Who a plugin is and what the operator gave it; the same for all its instances.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The name in the config.
    pub(crate) name: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) grants: Grants,
    pub(crate) limits: Arc<Limits>,
    pub(crate) usage: Arc<Usage>,
    pub(crate) log: LogQuota,
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) identity: Arc<Identity>,
    /// Present once the families are registered.
    pub(crate) session: Option<Session>,
    /// The memory figures of the scrape on whose behalf the guest runs.
    pub(crate) meminfo: Arc<Reading>,
    pub(crate) meter: Meter,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoRequests,
    table: ResourceTable,
}

impl State {
    /// A store that cannot run for ever, nor take more than it is given. No call may be made before its meter is armed.
    pub(crate) fn store(engine: &Engine, identity: Arc<Identity>) -> Store<Self> {
        let limits = Arc::clone(&identity.limits);
        let mut store = Store::new(engine, Self::new(identity));
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.resources);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().meter.check()));
        store
    }

    fn new(identity: Arc<Identity>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(identity.limits.resources);
        let (limits, usage) = (Arc::clone(&identity.limits), Arc::clone(&identity.usage));
        Self {
            identity,
            meter: Meter::new(limits, usage),
            session: None,
            meminfo: Arc::default(),
            // No environment, arguments, files, sockets or names; streams lead nowhere.
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            hooks: NoRequests,
            table,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.meter.count_host_call();
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.meter.count_host_call();
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
