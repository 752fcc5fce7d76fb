//! Lookups: of names that are granted alone, counted, and remembered, so that what was looked up can be connected to and
//! nothing else.

use std::{
    collections::{HashMap, VecDeque},
    fmt, io,
    net::{IpAddr, ToSocketAddrs},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

use super::{Granted, address};
use crate::config::{Grant, Hosts, target};

/// Lookups of one plugin at a time. One whose call was given up counts until the system has answered it.
const LOOKUPS: usize = 4;

/// Answers that are remembered of one name, the newest of them: enough for hosts that answer in turn.
const REMEMBERED: usize = 64;

/// What a lookup is answered with.
pub(crate) type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who knows the addresses of names.
pub(crate) trait Resolver: Send + Sync {
    fn addresses(&self, name: &str) -> Answer;
}

/// Looks up a name, and takes its time.
type Blocking = fn(&str) -> io::Result<Vec<IpAddr>>;

/// Asks the system, as all programs do.
#[derive(Debug)]
struct System {
    permits: Arc<Semaphore>,
    ask: Blocking,
}

impl System {
    fn new(ask: Blocking) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(LOOKUPS)),
            ask,
        }
    }
}

fn ask_system(name: &str) -> io::Result<Vec<IpAddr>> {
    let addresses = (name, 0).to_socket_addrs()?;
    Ok(addresses
        .map(|address| address.ip().to_canonical())
        .collect())
}

impl Resolver for System {
    fn addresses(&self, name: &str) -> Answer {
        let (permits, ask, name) = (Arc::clone(&self.permits), self.ask, name.to_owned());
        Box::pin(async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let asked = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                ask(&name)
            });
            asked.await.map_err(io::Error::other)?
        })
    }
}

/// What a plugin looks up.
pub(super) struct Lookups {
    resolver: Box<dyn Resolver>,
    /// What names led to.
    known: Mutex<HashMap<String, VecDeque<IpAddr>>>,
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").finish_non_exhaustive()
    }
}

/// Why there are no addresses.
#[derive(Debug)]
pub(crate) enum LookupError {
    Denied,
    /// It is no name.
    Malformed,
    Unresolvable,
}

impl Lookups {
    pub(super) fn system() -> Self {
        Self::new(Box::new(System::new(ask_system)))
    }

    pub(super) fn new(resolver: Box<dyn Resolver>) -> Self {
        Self {
            resolver,
            known: Mutex::default(),
        }
    }

    /// Whether a lookup of this name led to this address.
    pub(super) fn led(&self, name: &str, to: IpAddr) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(name)
            .is_some_and(|addresses| addresses.contains(&to))
    }

    /// A name that led to this address.
    pub(super) fn name_of(&self, address: IpAddr) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = known.iter();
        let (name, _) = names.find(|(_, addresses)| addresses.contains(&address))?;
        Some(name.clone())
    }

    /// Asks, and remembers. Only names of the config come here, so what is remembered is bounded.
    pub(super) async fn ask(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        let answer = self.resolver.addresses(name).await;
        let answer = answer.map_err(|error| {
            tracing::debug!(name, %error, "a name cannot be looked up");
            LookupError::Unresolvable
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = known.entry(name.to_owned()).or_default();
        for address in &answer {
            addresses.retain(|known| known != address);
            addresses.push_back(*address);
        }
        let extra = addresses.len().saturating_sub(REMEMBERED);
        addresses.drain(..extra);
        Ok(answer)
    }
}

impl Granted {
    /// The addresses of a name, of those that may be connected to if it is not granted by itself. An address is its own.
    pub(crate) async fn look_up(&self, text: &str) -> Result<Vec<IpAddr>, LookupError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
            return Ok(vec![address.to_canonical()]);
        }
        let what = format!("the lookup of {text:?}");
        let Ok(name) = target::name(text) else {
            self.deny(Grant::Dns, &what, "nothing allows it: it is no host name");
            return Err(LookupError::Malformed);
        };
        let mut private = Vec::new();
        let targets = self.config.tcp.iter().chain(&self.config.udp);
        let targets = targets.map(|target| (&target.hosts, target.private));
        let requests = self
            .config
            .http
            .iter()
            .map(|grant| (&grant.host, grant.private));
        for (hosts, is_private) in targets.chain(requests) {
            if matches!(hosts, Hosts::Name(granted) if *granted == name) {
                private.push(is_private);
            }
        }
        let by_itself = self.config.dns.contains(&name);
        if !by_itself && private.is_empty() {
            self.deny_one(Grant::Dns, &what, &name);
            return Err(LookupError::Denied);
        }
        self.used(Grant::Dns);
        let mut answer = self.lookups.ask(&name).await?;
        if by_itself {
            return Ok(answer);
        }
        let is_of_use = |address: &IpAddr| {
            private
                .iter()
                .any(|private| address::is_for_names(*address, *private))
                || self.has_net(*address)
        };
        let first = answer.first().copied();
        answer.retain(is_of_use);
        match first {
            Some(first) if answer.is_empty() => {
                let what = format_args!("{name:?}, which is {first}");
                self.deny(Grant::Dns, &what, &self.private_remedy(&name, first));
                Err(LookupError::Denied)
            }
            _ => Ok(answer),
        }
    }

    /// Whether a network of any grant covers the address.
    fn has_net(&self, of: IpAddr) -> bool {
        let targets = self.config.tcp.iter().chain(&self.config.udp);
        let mut targets = targets.map(|target| (&target.hosts, target.private));
        targets.any(|(hosts, private)| address::hosts_cover(hosts, private, of))
    }

    /// What to write so that a name may lead to an address.
    pub(super) fn private_remedy(&self, name: &str, address: IpAddr) -> String {
        let plugin = &self.plugin;
        if address::is_private(address) {
            format!("write private = true beside {name:?} in plugins.{plugin}.grants")
        } else {
            format!("a name cannot lead there; grant {address} itself in plugins.{plugin}.grants")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Condvar,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        time::Duration,
    };

    use super::*;

    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    static ANSWERS: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

    /// A system whose name server does not answer, until it does.
    fn hangs(_: &str) -> io::Result<Vec<IpAddr>> {
        let running = RUNNING.fetch_add(1, SeqCst) + 1;
        assert!(running <= LOOKUPS, "{running} at a time");
        ASKED.fetch_add(1, SeqCst);
        let (answers, told) = &ANSWERS;
        let answers = answers.lock().expect("nobody panics");
        drop(told.wait_while(answers, |answers| !*answers));
        RUNNING.fetch_sub(1, SeqCst);
        Ok(Vec::new())
    }

    async fn until(done: impl Fn() -> bool) {
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn lookups_that_hang_are_few_also_when_they_are_given_up() {
        let system = System::new(hangs);
        let lookups = || tokio::spawn(system.addresses("a.example"));
        let given_up: Vec<_> = (0..2 * LOOKUPS).map(|_| lookups()).collect();
        until(|| RUNNING.load(SeqCst) >= LOOKUPS).await;
        for lookup in given_up {
            lookup.abort();
            assert!(lookup.await.is_err());
        }
        // Their threads hang on, so nobody else gets one.
        let waiting = lookups();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(ASKED.load(SeqCst), LOOKUPS);
        assert!(!waiting.is_finished());
        *ANSWERS.0.lock().expect("nobody panics") = true;
        ANSWERS.1.notify_all();
        let answer = waiting.await.expect("it was not given up");
        assert_eq!(answer.expect("an answer"), Vec::<IpAddr>::new());
        until(|| RUNNING.load(SeqCst) == 0).await;
        assert_eq!(ASKED.load(SeqCst), LOOKUPS + 1);
    }
}
