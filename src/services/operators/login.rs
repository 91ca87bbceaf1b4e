//! Signing in with a browser: name and password, then the second factor where there is one. The same answer, after the
//! same time, for names that nobody has.

mod delays;

use parking_lot::Mutex;

use delays::Delays;

use super::authenticate::{Authenticator, principal};
use super::sessions::{self, NewSession, Place};
use super::{manage, passwords, second_factor};
use crate::domain::account::{FailedLogin, LoginFault};
use crate::domain::operator::Operator;
use crate::domain::texts::Message;
use crate::services::{Error, Principal, ReadTx, Shop, authz, clock};
use crate::store::{failed_logins, operators};

pub use delays::MOST_BYTES;

/// Who has to wait before they may try again. Cheap to share.
#[derive(Default)]
pub struct Logins(Mutex<Delays>);

/// What somebody shows who wants to sign in.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The name, an operator's or nobody's.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// A code of the authenticator app, or a recovery code.
    pub code: Option<&'a str>,
    /// From where.
    pub place: Place,
    /// The key of the session that the browser had, which ends.
    pub former: Option<String>,
}

/// What became of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// A session has begun.
    SignedIn(Operator, NewSession),
    /// Name and password are right, and the account has a second factor.
    CodeNeeded {
        /// Whether codes of the app can be checked; recovery codes always can.
        takes_app_codes: bool,
    },
    /// Something was wrong.
    Refused(LoginFault),
}

impl Logins {
    /// Signs somebody in.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after failures, until enough time has passed.
    pub async fn sign_in(&self, shop: &Shop, auth: &Authenticator, attempt: Attempt<'_>) -> Result<Outcome, Error> {
        let (name, client) = (attempt.name, attempt.place.client.clone());
        self.begin(name, &client, shop)?;
        let Some(operator) = auth.password_of_login(name, attempt.password).await? else {
            return self.refused(shop, name, &client, LoginFault::Password).await;
        };
        if operator.has_second_factor && attempt.code.is_none() {
            self.0.lock().take_back(name, &client);
            let takes_app_codes = !shop.db.read(|db| clock::read(db, shop.now()))?.is_behind;
            return Ok(Outcome::CodeNeeded { takes_app_codes });
        }
        match begin_session(shop, &operator, attempt).await? {
            Some(session) => {
                self.succeeded(name, &client);
                Ok(Outcome::SignedIn(operator, session))
            }
            None => self.refused(shop, name, &client, LoginFault::Code).await,
        }
    }

    /// Replaces the password of somebody who has signed in and shows the old one. Their other sessions end.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong old password or a new one that is not taken; as [`Logins::sign_in`].
    pub async fn change_password(
        &self,
        shop: &Shop,
        auth: &Authenticator,
        operator: &Operator,
        (old, new): (&str, String),
        (client, session): (&str, Option<i64>),
    ) -> Result<(), Error> {
        self.confirm(shop, auth, operator, old, client).await?;
        let hash = passwords::hash_aside(operator.name.clone(), new, shop).await?;
        let name = operator.name.clone();
        shop.tx(&principal(operator), move |tx| manage::set_password(tx, &name, &hash, session)).await
    }

    /// Has somebody who has signed in show their password again.
    ///
    /// # Errors
    /// [`Error::Invalid`] under `old_password`; as [`Logins::sign_in`].
    pub async fn confirm(
        &self,
        shop: &Shop,
        auth: &Authenticator,
        operator: &Operator,
        password: &str,
        client: &str,
    ) -> Result<(), Error> {
        self.begin(&operator.name, client, shop)?;
        if auth.password_of_login(&operator.name, password).await?.is_none() {
            self.refused(shop, &operator.name, client, LoginFault::Password).await?;
            return Err(Error::field("old_password", Message::WrongOldPassword));
        }
        self.succeeded(&operator.name, client);
        Ok(())
    }

    fn begin(&self, name: &str, client: &str, shop: &Shop) -> Result<(), Error> {
        let wait = self.0.lock().begin(name, client, shop.now());
        wait.map_err(|retry_after_secs| Error::Unavailable { detail: Message::TooManyPasswords, retry_after_secs })
    }

    fn succeeded(&self, name: &str, client: &str) {
        self.0.lock().succeeded(name, client);
    }

    async fn refused(&self, shop: &Shop, name: &str, client: &str, fault: LoginFault) -> Result<Outcome, Error> {
        note(shop, name, client, fault).await?;
        Ok(Outcome::Refused(fault))
    }
}

/// Keeps a failed login for those who look whether somebody guesses.
///
/// # Errors
/// Those of the database.
pub async fn note(shop: &Shop, name: &str, client: &str, fault: LoginFault) -> Result<(), Error> {
    let (name, client) = (name.to_owned(), client.to_owned());
    shop.tx(&Principal::Shop, move |tx| {
        let operator = operators::by_name(tx.db, &name)?.map(|operator| operator.id);
        Ok(failed_logins::insert(tx.db, operator, &client, fault, tx.now)?)
    })
    .await
}

/// Failed logins, newest first, of those before one of them: an administrator sees all, an operator those of their name.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn failed(tx: &ReadTx<'_>, before: Option<i64>, limit: u32) -> Result<Vec<FailedLogin>, Error> {
    Ok(failed_logins::list(tx.db, authz::visible_owner(tx.actor)?, before, limit)?)
}

/// The session, unless the code is wrong. Code and session are one change: no code opens two.
async fn begin_session(shop: &Shop, operator: &Operator, attempt: Attempt<'_>) -> Result<Option<NewSession>, Error> {
    let Attempt { code, place, former, .. } = attempt;
    let (id, code, random) = (operator.id, code.map(str::to_owned), shop.random.clone());
    shop.tx(&principal(operator), move |tx| {
        if !second_factor::check(tx, id, code.as_deref().unwrap_or_default())? {
            return Ok(None);
        }
        if let Some(former) = &former {
            sessions::end_with_key(tx, former)?;
        }
        sessions::begin(tx, &*random, id, &place).map(Some)
    })
    .await
}
