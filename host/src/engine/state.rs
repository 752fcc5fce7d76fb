//! What a store holds for its one instance.

use std::{collections::BTreeMap, mem, sync::Arc};

use meterbox_metrics::Session;
use wasmtime::{Engine, Store, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::meter::{Meter, Usage};
use crate::{
    config::{LogLevel, Secret, Secrets},
    grants::{Granted, Requests},
    imports::{log::LogQuota, meminfo::Reading, recent::Recent, stdio::Stdio},
    limits::Limits,
};

/// Random bytes that a guest may ask for at a time.
const MOST_RANDOM: u64 = 64 << 10;

/// Who a plugin is and what the operator gave it; the same for all its instances.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The name in the config.
    pub(crate) name: String,
    pub(crate) config: BTreeMap<String, Secret>,
    pub(crate) grants: Arc<Granted>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) usage: Arc<Usage>,
    pub(crate) log: Arc<LogQuota>,
    /// The least that is logged of what it says; none means what the host logs of its own.
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) recent: Arc<Recent>,
    /// What must not be in what it says.
    pub(crate) secrets: Secrets,
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
    hooks: Requests,
    table: ResourceTable,
}

impl State {
    /// A store that cannot run for ever, nor take more than it is given. No call may be made before its meter is armed.
    /// An error says which grant cannot be given. What opens its folders may hang: see [`Granted::disk`].
    pub(crate) fn store(engine: &Engine, identity: Arc<Identity>) -> Result<Store<Self>, String> {
        let limits = Arc::clone(&identity.limits);
        let mut store = Store::new(engine, Self::new(identity)?);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.resources);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().meter.check()));
        Ok(store)
    }

    fn new(identity: Arc<Identity>) -> Result<Self, String> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(Stdio::stdout(Arc::clone(&identity)));
        wasi.stderr(Stdio::stderr(Arc::clone(&identity)));
        wasi.max_random_size(MOST_RANDOM);
        identity.grants.furnish(&mut wasi)?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(identity.limits.resources);
        let (limits, usage) = (Arc::clone(&identity.limits), Arc::clone(&identity.usage));
        Ok(Self {
            hooks: Requests(Arc::clone(&identity)),
            identity,
            meter: Meter::new(limits, usage),
            session: None,
            meminfo: Arc::default(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table,
        })
    }
}

/// To close a file may hang.
impl Drop for State {
    fn drop(&mut self) {
        if let Some(disk) = self.identity.grants.disk() {
            disk.let_go(mem::take(&mut self.table));
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
