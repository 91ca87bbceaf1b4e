//! Who calls: a host by its token, an operator by name and password.
//!
//! Passwords come with every request and each check of one costs tens of milliseconds and 19 MiB, so
//! that an anonymous caller could exhaust a small machine. Hence: at most two checks at once, good
//! ones are remembered for a while, and a name with too many bad ones has to wait before anything is
//! hashed. Unknown names are never hashed. A remembered password works even while its name has to
//! wait: nobody can lock out an operator who is at work.

mod good;
mod throttle;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::hosts_admin::hash_token;
use super::{Error, Scope, passwords};
use crate::domain::id::{HostId, Random};
use crate::domain::operator::{Operator, Role};
use crate::domain::time::Clock;
use crate::store::{Db, hosts, operators};
use good::Good;
use throttle::Throttle;

/// Passwords that are checked at once.
const CHECKS_AT_ONCE: usize = 2;

/// Checks credentials. Cheap to share.
pub struct Authenticator {
    db: Db,
    clock: Arc<dyn Clock>,
    checks: Semaphore,
    memory: Mutex<Memory>,
}

struct Memory {
    good: Good,
    throttle: Throttle,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    pub fn new(db: Db, clock: Arc<dyn Clock>, random: &dyn Random) -> Self {
        let memory = Memory { good: Good::new(random), throttle: Throttle::default() };
        Self { db, clock, checks: Semaphore::new(CHECKS_AT_ONCE), memory: Mutex::new(memory) }
    }

    /// The host that a token belongs to.
    ///
    /// # Errors
    /// Only when the database fails.
    pub fn token(&self, token: &str) -> Result<Option<HostId>, Error> {
        let hash = hash_token(token);
        Ok(self.db.read(|db| hosts::by_token_hash(db, &hash))?)
    }

    /// The operator with this name and password; `None` when one of them is wrong.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after too many wrong passwords for this name.
    pub async fn password(&self, name: &str, password: &str) -> Result<Option<Scope>, Error> {
        let Some((operator, hash)) = self.db.read(|db| operators::with_password_hash(db, name))? else {
            return Ok(None);
        };
        if !self.may_check(name, password, &hash)? {
            return Ok(Some(scope(operator)));
        }
        let _permit = self.checks.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
        // Whoever was before us in the queue may have settled it.
        if !self.may_check(name, password, &hash)? {
            return Ok(Some(scope(operator)));
        }
        let (asked, stored) = (password.to_owned(), hash.clone());
        let check = tokio::task::spawn_blocking(move || passwords::verify(&asked, &stored));
        let fits = check.await.map_err(|error| Error::Internal(error.to_string()))?;
        let now = self.clock.now();
        let mut memory = self.memory();
        if fits {
            memory.throttle.forget(name);
            memory.good.remember(name, password, &hash, now);
            Ok(Some(scope(operator)))
        } else {
            memory.throttle.note_bad(name, now);
            Ok(None)
        }
    }

    /// Whether the password has to be checked; not when it is remembered as good.
    fn may_check(&self, name: &str, password: &str, hash: &str) -> Result<bool, Error> {
        let now = self.clock.now();
        let memory = self.memory();
        if memory.good.knows(name, password, hash, now) {
            return Ok(false);
        }
        match memory.throttle.wait_secs(name, now) {
            0 => Ok(true),
            retry_after_secs => {
                let detail = "Too many wrong passwords for this name. Please try again later.".to_owned();
                Err(Error::Unavailable { detail, retry_after_secs })
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scope(operator: Operator) -> Scope {
    match operator.role {
        Role::Administrator => Scope::Administrator(operator.name),
        Role::Operator => Scope::Operator(operator.id, operator.name),
    }
}

#[cfg(test)]
mod tests;
