//! `wasi:sockets/ip-name-lookup` for the names that are granted.

use std::{net::IpAddr, sync::Arc, task::Poll, vec};

use wasmtime::{
    Result, StoreContextMut,
    component::{Linker, Resource, ResourceType},
};
use wasmtime_wasi::{
    WasiView, async_trait,
    p2::{
        DynPollable, Network, Pollable,
        bindings::sockets::network::{ErrorCode, IpAddress},
        subscribe,
    },
    runtime::{AbortOnDropJoinHandle, spawn},
};

use super::dns::LookupError;
use crate::engine::State;

const INTERFACE: &str = "wasi:sockets/ip-name-lookup@0.2.12";

/// A lookup, and the addresses that the guest has not taken yet.
enum Lookup {
    UnderWay(AbortOnDropJoinHandle<Result<Vec<IpAddr>, LookupError>>),
    Over(Result<vec::IntoIter<IpAddr>, ErrorCode>),
}

impl Lookup {
    fn finish(&mut self, answer: Result<Vec<IpAddr>, LookupError>) {
        let answer = answer.map(Vec::into_iter).map_err(|error| match error {
            LookupError::Denied => ErrorCode::AccessDenied,
            LookupError::Malformed => ErrorCode::InvalidArgument,
            LookupError::Unresolvable => ErrorCode::NameUnresolvable,
        });
        *self = Self::Over(answer);
    }

    /// `would-block` as long as it is under way.
    async fn next(&mut self) -> Result<Option<IpAddress>, ErrorCode> {
        if let Self::UnderWay(task) = self {
            let polled =
                std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *task).poll(cx)));
            match polled.await {
                Poll::Ready(answer) => self.finish(answer),
                Poll::Pending => return Err(ErrorCode::WouldBlock),
            }
        }
        match self {
            Self::Over(Ok(addresses)) => Ok(addresses.next().map(Into::into)),
            Self::Over(Err(error)) => Err(*error),
            Self::UnderWay(_) => Err(ErrorCode::WouldBlock),
        }
    }
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        if let Self::UnderWay(task) = self {
            let answer = task.await;
            self.finish(answer);
        }
    }
}

type Store<'a> = StoreContextMut<'a, State>;

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.resource(
        "resolve-address-stream",
        ResourceType::host::<Lookup>(),
        |mut store, number| {
            let lookup = Resource::<Lookup>::new_own(number);
            store.data_mut().ctx().table.delete(lookup)?;
            Ok(())
        },
    )?;
    interface.func_wrap(
        "resolve-addresses",
        |mut store: Store<'_>, (network, name): (Resource<Network>, String)| {
            let granted = Arc::clone(&store.data().identity.grants);
            let table = store.data_mut().ctx().table;
            table.get(&network)?;
            let task = spawn(async move { granted.look_up(&name).await });
            let lookup = table.push(Lookup::UnderWay(task))?;
            Ok((Ok::<_, ErrorCode>(lookup),))
        },
    )?;
    interface.func_wrap_async(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store: Store<'_>, (lookup,): (Resource<Lookup>,)| {
            Box::new(async move {
                let lookup = store.data_mut().ctx().table.get_mut(&lookup)?;
                Ok((lookup.next().await,))
            })
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: Store<'_>,
         (lookup,): (Resource<Lookup>,)|
         -> Result<(Resource<DynPollable>,)> {
            Ok((subscribe(store.data_mut().ctx().table, lookup)?,))
        },
    )
}
