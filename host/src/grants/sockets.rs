//! TCP and UDP: made only if there is a grant, and each address checked.

use std::{
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use wasmtime::{Result, StoreContextMut, component::Linker};
use wasmtime_wasi::{
    WasiCtxBuilder,
    p2::bindings::sockets::{
        network::{ErrorCode, IpAddressFamily},
        tcp_create_socket::Host as _,
        udp_create_socket::Host as _,
    },
    sockets::{SocketAddrUse, WasiSocketsView as _},
};

use super::{Granted, address};
use crate::{
    config::{Grant, Hosts, Target},
    engine::State,
};

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    let mut tcp = linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?;
    tcp.func_wrap(
        "create-tcp-socket",
        |mut store: StoreContextMut<'_, State>, (family,): (IpAddressFamily,)| {
            if !store.data().identity.grants.may_make(Grant::Tcp) {
                return Ok((Err(ErrorCode::AccessDenied),));
            }
            match store.data_mut().sockets().create_tcp_socket(family) {
                Ok(socket) => Ok((Ok(socket),)),
                Err(error) => Ok((Err(error.downcast()?),)),
            }
        },
    )?;
    let mut udp = linker.instance("wasi:sockets/udp-create-socket@0.2.12")?;
    udp.func_wrap_async(
        "create-udp-socket",
        |mut store: StoreContextMut<'_, State>, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                if !store.data().identity.grants.may_make(Grant::Udp) {
                    return Ok((Err(ErrorCode::AccessDenied),));
                }
                match store.data_mut().sockets().create_udp_socket(family).await {
                    Ok(socket) => Ok((Ok(socket),)),
                    Err(error) => Ok((Err(error.downcast()?),)),
                }
            })
        },
    )
}

impl Granted {
    pub(super) fn let_connect(self: &Arc<Self>, context: &mut WasiCtxBuilder) {
        context.allow_tcp(self.has(Grant::Tcp));
        context.allow_udp(self.has(Grant::Udp));
        let granted = Arc::clone(self);
        context.socket_addr_check(move |address, purpose| {
            let may = granted.may_use(address, purpose);
            Box::pin(async move { may }) as Pin<Box<dyn Future<Output = bool> + Send + Sync>>
        });
    }

    /// Whether sockets of a kind may be made at all. Where they lead is asked later.
    fn may_make(&self, grant: Grant) -> bool {
        let may = self.has(grant);
        if !may {
            let (plugin, key) = (&self.plugin, grant.key());
            let remedy = format!("write {key} = [\"HOST:PORT\"] under [plugins.{plugin}.grants]");
            self.deny(grant, &"a socket", &remedy);
        }
        may
    }

    pub(super) fn may_use(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        match purpose {
            // The system's choice of a local port; nobody is served.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind
                if address.port() == 0 && address.ip().is_unspecified() =>
            {
                true
            }
            SocketAddrUse::TcpConnect => self.may_reach(Grant::Tcp, address),
            SocketAddrUse::UdpSend => self.may_reach(Grant::Udp, address),
            // Who answers is nobody's denial.
            SocketAddrUse::UdpReceive => self.covers(&self.config.udp, address),
            SocketAddrUse::TcpBind | SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
                self.deny_serving(Grant::Tcp, address)
            }
            SocketAddrUse::UdpBind => self.deny_serving(Grant::Udp, address),
        }
    }

    fn deny_serving(&self, grant: Grant, address: SocketAddr) -> bool {
        let what = format_args!("to take the local address {address}");
        self.deny(
            grant,
            &what,
            "nothing allows it: a plugin serves nobody but by its routes",
        );
        false
    }

    fn may_reach(&self, grant: Grant, address: SocketAddr) -> bool {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let targets = match grant {
            Grant::Tcp => &self.config.tcp,
            _ => &self.config.udp,
        };
        if self.covers(targets, address) {
            self.used(grant);
            return true;
        }
        let name = self.lookups.name_of(address.ip());
        let is_granted = |target: &Target| {
            matches!(&target.hosts, Hosts::Name(granted) if Some(granted) == name.as_ref())
                && target.ports.contains(address.port())
        };
        match &name {
            // The name is there, so its address is what is wrong.
            Some(name) if targets.iter().any(is_granted) => {
                let what = format_args!("{address}, which is {name:?}");
                self.deny(grant, &what, &self.private_remedy(name, address.ip()));
            }
            Some(name) if address::is_for_names(address.ip(), false) => {
                let item = format!("{name}:{}", address.port());
                self.deny_one(grant, &format_args!("{address}, which is {name:?}"), &item);
            }
            _ => self.deny_one(grant, &address, &address.to_string()),
        }
        false
    }

    /// Whether one of the targets is this address: of a network, or of a name that was looked up and led there.
    pub(super) fn covers(&self, targets: &[Target], to: SocketAddr) -> bool {
        let ip: IpAddr = to.ip().to_canonical();
        targets.iter().any(|target| {
            target.ports.contains(to.port())
                && match &target.hosts {
                    Hosts::Net(net) => address::covers(net, target.private, ip),
                    Hosts::Name(name) => {
                        self.lookups.led(name, ip) && address::is_for_names(ip, target.private)
                    }
                }
        })
    }
}
