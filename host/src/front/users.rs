//! Basic authentication against bcrypt hashes.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::http::HeaderValue;
use base64::{Engine, engine::general_purpose::STANDARD};
use bcrypt::HashParts;
use rustls::crypto::ring;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::schema::Secret;

/// bcrypt is slow on purpose: one at a time, so that peers with wrong passwords take one processor at most.
const AT_ONCE: usize = 1;

/// Verified credentials that are remembered; the oldest goes first. There is one for each user, until hashes change.
const REMEMBERED: usize = 256;

/// The costs that bcrypt has.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// The cost for a user that is not there, where nobody is: that of htpasswd and of Go.
const USUAL_COST: u32 = 10;

/// Who was let in before.
#[derive(Debug)]
pub(super) struct Users {
    /// So that what is remembered says nothing about passwords, wherever it ends up.
    salt: [u8; 32],
    known: Mutex<Known>,
    turns: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Known {
    all: HashSet<[u8; 32]>,
    oldest: VecDeque<[u8; 32]>,
}

/// Whether all hashes are such.
pub(super) fn check(users: &BTreeMap<String, Secret>) -> Result<(), String> {
    for (name, hash) in users {
        let problem = match hash.0.parse::<HashParts>() {
            Ok(hash) if COSTS.contains(&hash.get_cost()) => continue,
            Ok(hash) => format!("has the cost {}, not 4 to 31", hash.get_cost()),
            // The error repeats what it was given, which may be a password.
            Err(_) => "is no bcrypt hash".to_owned(),
        };
        return Err(format!(
            "basic_auth_users.{name}: {problem}; `htpasswd -nBC 10 \"\"` makes one"
        ));
    }
    Ok(())
}

impl Users {
    pub(super) fn new() -> Self {
        let mut salt = [0; 32];
        // The system has random numbers, or TLS could not start either; without them the cache is only less discreet.
        let _ = ring::default_provider().secure_random.fill(&mut salt);
        Self {
            salt,
            known: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Whether this `Authorization` is that of one of the users. A user that is not there takes as long as one that is.
    pub(super) async fn allow(
        &self,
        users: &BTreeMap<String, Secret>,
        authorization: Option<&HeaderValue>,
    ) -> bool {
        let Some((name, password)) = authorization.and_then(credentials) else {
            return false;
        };
        let hash = users.get(&name);
        let digest = hash.map(|hash| self.digest(&name, &hash.0, &password));
        if digest.is_some_and(|digest| self.known().all.contains(&digest)) {
            return true;
        }
        let held = hash.map_or_else(|| nobody(users), |hash| hash.0.clone());
        // It is never closed.
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return false;
        };
        let verified = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            bcrypt::verify(password, &held).unwrap_or(false)
        });
        match (verified.await, digest) {
            (Ok(true), Some(digest)) => {
                self.known().remember(digest);
                true
            }
            _ => false,
        }
    }

    fn digest(&self, name: &str, hash: &str, password: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.salt);
        for part in [name.as_bytes(), hash.as_bytes(), password] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, digest: [u8; 32]) {
        if !self.all.insert(digest) {
            return;
        }
        self.oldest.push_back(digest);
        if self.oldest.len() > REMEMBERED
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.all.remove(&oldest);
        }
    }
}

/// A hash that nobody's password has, as costly as the costliest of the users'.
fn nobody(users: &BTreeMap<String, Secret>) -> String {
    let costs = users.values().filter_map(|hash| hash.0.parse().ok());
    let cost = costs.map(|hash: HashParts| hash.get_cost()).max();
    let cost = cost
        .unwrap_or(USUAL_COST)
        .clamp(*COSTS.start(), *COSTS.end());
    format!("$2y${cost:02}$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi")
}

/// Name and password; the scheme's name in any case, as Go reads it.
fn credentials(authorization: &HeaderValue) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = authorization.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((name, decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    #[test]
    fn credentials_are_read_as_go_reads_them() {
        let read = |text: &str| credentials(&HeaderValue::from_str(text).unwrap());
        let alice = Some(("alice".to_owned(), b"a:b".to_vec()));
        assert_eq!(read("Basic YWxpY2U6YTpi"), alice);
        assert_eq!(read("bAsIc YWxpY2U6YTpi"), alice);
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Bearer YWxpY2U6YTpi",
            "Basic YWxpY2U",
            "Basic  YWxpY2U6YTpi",
            "Basic !",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn only_what_was_verified_is_remembered() {
        let hash = bcrypt::hash("secret", 4).unwrap();
        let users = BTreeMap::from([("alice".to_owned(), Secret(hash))]);
        let state = Users::new();
        let ask = async |text: &str| {
            let value = format!("Basic {}", STANDARD.encode(text));
            state
                .allow(&users, Some(&HeaderValue::from_str(&value).unwrap()))
                .await
        };
        for wrong in [
            "alice:wrong",
            "bob:secret",
            "bob:fakepassword",
            "alice",
            "alice:",
            ":secret",
        ] {
            assert!(!ask(wrong).await, "{wrong}");
        }
        assert!(state.known().all.is_empty());
        for _ in 0..2 {
            assert!(ask("alice:secret").await);
        }
        assert_eq!(state.known().all.len(), 1);
        assert!(!state.allow(&BTreeMap::new(), None).await);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = Known::default();
        for number in 0..1000u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            known.remember(digest);
            known.remember(digest);
        }
        assert_eq!(
            (known.all.len(), known.oldest.len()),
            (REMEMBERED, REMEMBERED)
        );
    }

    /// Else the time would tell who is there.
    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let users = |costs: &[&str]| -> BTreeMap<_, _> {
            let hash = |cost: &&str| Secret(format!("$2y${cost}${}", "a".repeat(53)));
            let entry = |cost| (format!("user {cost}"), hash(cost));
            costs.iter().map(entry).collect()
        };
        let cost = |costs| {
            nobody(&users(costs))
                .parse::<HashParts>()
                .unwrap()
                .get_cost()
        };
        assert_eq!(cost(&[]), 10);
        assert_eq!(cost(&["04"]), 4);
        assert_eq!(cost(&["05", "12"]), 12);
    }
}
