//! What accounts of operators consist of besides their names: sessions, API tokens, passwords and how long each holds.

use super::id::OperatorId;
use super::time::Timestamp;

mod passwords;

pub use passwords::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordFault, password_fault};

/// A session ends so long after the login, whatever happens. Seconds.
pub const SESSION_SECS: i64 = 30 * 86_400;
/// A session ends when it was not used for so long. Seconds.
pub const IDLE_SECS: i64 = 12 * 3600;
/// When a session or an API token was last used is stored anew only once what is stored is this old: each write
/// wears the memory card. Seconds.
pub const USE_STAMP_SECS: i64 = 300;
/// The link with which the first administrator is made works for so long. Seconds.
pub const SETUP_SECS: i64 = 15 * 60;

/// What an API token may do of that which its operator may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Also change what is sold: hosts, products, orders, the deny list.
    Sell,
    /// Also everything else, but for accounts: passwords, second factors, tokens, other operators.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Sell, Self::Admin];

    /// The name in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Sell => "sell",
            Self::Admin => "admin",
        }
    }

    /// Reads [`Scope::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Somebody who has signed in with a browser.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: i64,
    pub operator: OperatorId,
    /// Address or circuit of the login.
    pub client: String,
    /// What the browser calls itself.
    pub agent: String,
    pub made_at: Timestamp,
    /// Up to [`USE_STAMP_SECS`] behind.
    pub used_at: Timestamp,
}

impl Session {
    /// Whether it still opens the door. One that a wrong clock stamped in the future does not.
    pub const fn is_open(&self, now: Timestamp) -> bool {
        self.made_at.is_within(SESSION_SECS, now) && self.used_at.is_within(IDLE_SECS, now)
    }
}

/// A key for programs, in place of a name and a password.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: i64,
    pub operator: OperatorId,
    pub name: String,
    pub scope: Scope,
    pub made_at: Timestamp,
    pub expires_at: Timestamp,
    /// Up to [`USE_STAMP_SECS`] behind.
    pub used_at: Option<Timestamp>,
}

impl ApiToken {
    /// Whether it still opens the door.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.made_at.is_from_the_future(now)
    }
}

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFault {
    /// Name or password.
    Password,
    /// The second factor.
    Code,
}

impl LoginFault {
    /// The name in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
        }
    }

    /// Reads [`LoginFault::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Password, Self::Code].into_iter().find(|fault| fault.name() == name)
    }
}

/// A login that was refused.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedLogin {
    pub id: i64,
    pub at: Timestamp,
    /// Whose name it was; `None` for a name that nobody has, which is not kept: people type passwords there.
    pub operator: Option<OperatorId>,
    /// Address or circuit.
    pub client: String,
    pub fault: LoginFault,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_after_thirty_days_after_twelve_idle_hours_and_when_its_clock_was_wrong() {
        let start = Timestamp::from_secs(1_800_000_000);
        let session = |used_at: Timestamp| Session {
            id: 1,
            operator: OperatorId(1),
            client: String::new(),
            agent: String::new(),
            made_at: start,
            used_at,
        };
        assert!(session(start).is_open(start.plus_secs(IDLE_SECS - 1)));
        assert!(!session(start).is_open(start.plus_secs(IDLE_SECS)));
        let late = start.plus_secs(SESSION_SECS - 1);
        assert!(session(late).is_open(late) && !session(late).is_open(late.plus_secs(1)));
        assert!(!session(start).is_open(start.plus_secs(-3600)));
    }
}
