//! Who calls: a host by its token, an operator by name and password.
//!
//! Passwords come with every request and each check of one costs tens of milliseconds and 19 MiB, so
//! that an anonymous caller could exhaust a small machine. Hence: one check at a time and few more that
//! wait, good ones are remembered for a while, and a client with too many bad ones has to
//! wait before anything is hashed. Bad ones count by name and client, and those of all clients for one name
//! let everybody wait who has not lately shown its right password: a stranger's guesses lock nobody
//! else out. Unknown names are treated as known ones, so that names can't be told apart (but for those with a hash
//! of the old shop, which takes longer to check, until their owners have logged in).

mod throttle;
mod verified_cache;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use throttle::{Caller, Throttle};
use tokio::sync::Semaphore;
use verified_cache::VerifiedPasswordCache;

use super::django_hash::is_foreign;
use super::passwords;
use crate::domain::id::{HostId, Random, SystemRandom};
use crate::domain::operator::{Operator, Role};
use crate::domain::texts::Message;
use crate::domain::time::Clock;
use crate::services::hosts::manage::hash_token;
use crate::services::{Error, Principal};
use crate::store::audit_log::{self, Author};
use crate::store::{Connection, Db, host_tokens, operators};

pub use throttle::Source;

/// What strangers can make the authenticator hold, in bytes.
pub const MOST_BYTES: usize = throttle::MOST_BYTES + verified_cache::MOST_BYTES;

/// Passwords that are checked at once.
const CHECKS_AT_ONCE: usize = 1;
/// Checks under way or waiting for their turn; more are told to come back.
const CHECKS_IN_ALL: usize = 32;
/// What the passwords of unknown names are checked against: as costly as a real one (the parameters are
/// those of [`passwords::hash`]), and right for none.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks credentials. Cheap to share.
pub struct Authenticator {
    db: Db,
    clock: Arc<dyn Clock>,
    checks: Semaphore,
    places: Semaphore,
    memory: Mutex<Memory>,
}

struct Memory {
    good: VerifiedPasswordCache,
    throttle: Throttle,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    pub fn new(db: Db, clock: Arc<dyn Clock>, random: &dyn Random) -> Self {
        let memory = Memory { good: VerifiedPasswordCache::new(random), throttle: Throttle::default() };
        let (checks, places) = (Semaphore::new(CHECKS_AT_ONCE), Semaphore::new(CHECKS_IN_ALL));
        Self { db, clock, checks, places, memory: Mutex::new(memory) }
    }

    /// The host that a token belongs to. The first use of the newest one ends those that it replaces.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn token(&self, token: &str) -> Result<Option<HostId>, Error> {
        let (hash, now) = (hash_token(token), self.clock.now());
        let Some(owner) = self.db.read(|db| host_tokens::owner(db, &hash, now))? else { return Ok(None) };
        if owner.ends_former {
            self.db.write(move |db| host_tokens::end_former(db, owner.host)).await?;
        }
        Ok(Some(owner.host))
    }

    /// Whether the token with this SHA-256 still opens the door of `host`: not when it was replaced or
    /// the host deleted.
    ///
    /// # Errors
    /// Only when the database fails.
    pub fn is_token_of(&self, hash: &[u8; 32], host: HostId) -> Result<bool, Error> {
        let owner = self.db.read(|db| host_tokens::owner(db, hash, self.clock.now()))?;
        Ok(owner.is_some_and(|owner| owner.host == host))
    }

    /// The operator with this name and password, who may sign in; `None` when one of them is wrong. Whether they have
    /// shown their second factor is another matter.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after too many wrong passwords from this source, or while too many are
    /// being checked.
    pub async fn password(&self, name: &str, password: &str, source: Source<'_>) -> Result<Option<Operator>, Error> {
        self.check(name, password, Some(Caller { name, source })).await
    }

    /// The same for one who has kept to the delays of [`super::login`], which take the place of those in here.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while too many are being checked.
    pub async fn password_of_login(&self, name: &str, password: &str) -> Result<Option<Operator>, Error> {
        self.check(name, password, None).await
    }

    /// `caller` has to wait after wrong passwords.
    async fn check(&self, name: &str, password: &str, caller: Option<Caller<'_>>) -> Result<Option<Operator>, Error> {
        let found = self.db.read(|db| operators::with_password_hash(db, name))?;
        let (operator, hash) = match found.filter(|(operator, _)| operator.disabled_at.is_none()) {
            Some((operator, hash)) => (Some(operator), hash),
            None => (None, NOBODYS_HASH.to_owned()),
        };
        if !self.may_check(name, caller, password, &hash)? {
            return Ok(operator);
        }
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let _permit = self.checks.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
        // Whoever was before us in the queue may have settled it.
        if !self.may_check(name, caller, password, &hash)? {
            return Ok(operator);
        }
        let (asked, stored) = (password.to_owned(), hash.clone());
        let check = tokio::task::spawn_blocking(move || passwords::verify(&asked, &stored));
        let fits = check.await.map_err(|error| Error::Internal(error.to_string()))?;
        if let (Some(operator), true) = (&operator, fits && is_foreign(&hash)) {
            self.renew(operator, password).await?;
        }
        let now = self.clock.now();
        let mut memory = self.memory();
        match operator {
            Some(operator) if fits => {
                caller.inspect(|caller| memory.throttle.note_good(*caller, now));
                memory.good.remember(name, password, &hash, now);
                Ok(Some(operator))
            }
            _ => {
                caller.inspect(|caller| memory.throttle.note_bad(*caller, now));
                Ok(None)
            }
        }
    }

    /// A password whose hash came from the old shop is known now: it is hashed as all others are. One that would not be
    /// taken as a new one goes on as it is.
    async fn renew(&self, operator: &Operator, password: &str) -> Result<(), Error> {
        let password = password.to_owned();
        let hashed = tokio::task::spawn_blocking(move || passwords::hash(&password, &SystemRandom));
        let Ok(hash) = hashed.await.map_err(|error| Error::Internal(error.to_string()))? else { return Ok(()) };
        let (id, name, now) = (operator.id, operator.name.clone(), self.clock.now());
        let change = move |db: &Connection| {
            let author = Author::new(&Principal::Shop, now);
            operators::set_password_hash(db, id, &hash, author)?;
            Ok(audit_log::record(db, author, "operator", name, "password hashed anew")?)
        };
        self.db.write(change).await
    }

    /// Whether the password has to be checked; not when it is remembered as good.
    fn may_check(&self, name: &str, caller: Option<Caller<'_>>, password: &str, hash: &str) -> Result<bool, Error> {
        let now = self.clock.now();
        let memory = self.memory();
        if memory.good.knows(name, password, hash, now) {
            return Ok(false);
        }
        match caller.map_or(0, |caller| memory.throttle.wait_secs(caller, now)) {
            0 => Ok(true),
            retry_after_secs => {
                let detail = Message::TooManyPasswords;
                Err(Error::Unavailable { detail, retry_after_secs })
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }
}

fn busy() -> Error {
    let detail = Message::PasswordsBusy;
    Error::Unavailable { detail, retry_after_secs: 5 }
}

/// Who acts when this operator does.
pub fn principal(operator: &Operator) -> Principal {
    match operator.role {
        Role::Administrator => Principal::Administrator(operator.name.clone()),
        Role::Operator => Principal::Operator(operator.id, operator.name.clone()),
    }
}

#[cfg(test)]
mod tests;
