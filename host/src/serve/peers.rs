//! How many connections each peer holds, so that none takes them all.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts connections by peer. Clones share one count.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, Open>>>,
}

#[derive(Debug, Default)]
struct Open {
    connections: usize,
    /// Whether the log has it that this peer wants too many. It is told once, and again after the peer was gone.
    told: bool,
}

impl Peers {
    /// A peer may hold this many.
    pub(super) fn new(most: usize) -> Self {
        let open = Arc::default();
        Self { most, open }
    }

    /// One more connection of this peer, until the value is dropped; none if it holds enough.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let peer = who(address);
        let mut peers = self.open();
        let open = peers.entry(peer).or_default();
        if open.connections >= self.most {
            if !open.told {
                open.told = true;
                tracing::warn!(%peer, connections = open.connections, "a peer has all connections that one peer may have; \
                     closing what it opens beyond");
            }
            return None;
        }
        open.connections += 1;
        let peers = self.clone();
        Some(Place { peer, peers })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of a peer.
#[derive(Debug)]
pub(super) struct Place {
    peer: IpAddr,
    peers: Peers,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.peers.open().entry(self.peer) {
            entry.get_mut().connections -= 1;
            if entry.get().connections == 0 {
                entry.remove();
            }
        }
    }
}

/// IPv4 as such on every kind of listener; IPv6 by its /64, all of whose addresses a single machine may use.
fn who(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    #[test]
    fn each_peer_has_its_own_bound() {
        let peers = Peers::new(2);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let first = peers.enter(a).unwrap();
        let second = peers.enter(a).unwrap();
        assert!(peers.enter(a).is_none());
        let other = peers.enter(b).unwrap();
        drop(first);
        let third = peers.enter(a).unwrap();
        assert!(peers.enter(a).is_none());
        drop((second, third, other));
        assert!(peers.open().is_empty(), "peers that left are forgotten");
    }

    #[test]
    fn a_peer_is_one_machine() {
        let same = |a: &str, b: &str| who(a.parse().unwrap()) == who(b.parse().unwrap());
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:2"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(!same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    }
}
