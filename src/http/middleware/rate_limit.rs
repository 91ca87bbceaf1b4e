//! How often one client may ask: a token bucket each, in bounded memory. Clients are addresses over
//! TCP (IPv6: their network of 64 bits) and circuits through the onion service.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::recent::Recent;
use crate::domain::time::Timestamp;
use crate::http::server::client::Client;

/// At most this many clients are remembered; when there are more, those that have used up least are forgotten.
const MAX_CLIENTS: usize = 14_000;
/// What strangers can make one limiter hold, in bytes.
pub const MOST_BYTES: usize = Recent::<i64>::most_bytes(MAX_CLIENTS);

/// A rate: `burst` at once, then one per `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once; 0 switches the limit off.
    pub burst: u32,
    /// The time in which one more is allowed.
    pub every: Duration,
}

impl Rate {
    /// No limit.
    pub const OFF: Self = Self { burst: 0, every: Duration::ZERO };

    /// `count` in a minute, half of them at once; 0 is no limit.
    pub fn per_minute(count: u32) -> Self {
        Self::per(count, Duration::from_secs(60), 2)
    }

    /// `count` in an hour, a sixth of them (at least five) at once: of what ties something up, as an
    /// unpaid order does a port. 0 is no limit.
    pub fn per_hour(count: u32) -> Self {
        let rate = Self::per(count, Duration::from_secs(3600), 6);
        if count == 0 { rate } else { Self { burst: rate.burst.max(5), ..rate } }
    }

    fn per(count: u32, span: Duration, share: u32) -> Self {
        match span.checked_div(count) {
            Some(every) => Self { burst: count.div_ceil(share), every },
            None => Self::OFF,
        }
    }

    /// The time in which one more is allowed, in milliseconds.
    fn step(self) -> i64 {
        i64::try_from(self.every.as_millis()).unwrap_or(i64::MAX).max(1)
    }
}

/// The buckets of one rate.
pub struct Limiter {
    rate: Rate,
    hasher: RandomState,
    /// By client: when its bucket is full again, in milliseconds since the epoch.
    full_at: Mutex<Recent<i64>>,
}

impl Limiter {
    /// A limiter without clients.
    pub fn new(rate: Rate) -> Self {
        let full_at = Mutex::new(Recent::new(MAX_CLIENTS, |full_at| *full_at));
        Self { rate, hasher: RandomState::new(), full_at }
    }

    /// Takes one from the client's bucket, or says in how many seconds there is one again. Requests
    /// from this machine are the operator's own and are not limited.
    pub fn admit(&self, client: &Client, now: Timestamp) -> Result<(), u32> {
        if client.is_loopback() { Ok(()) } else { self.take(self.key(client), now) }
    }

    /// Undoes [`Limiter::admit`].
    pub fn give_back(&self, client: &Client) {
        self.put(self.key(client));
    }

    /// Takes one from a bucket that all share.
    pub fn admit_any(&self, now: Timestamp) -> Result<(), u32> {
        self.take(self.common_key(), now)
    }

    /// Undoes [`Limiter::admit_any`].
    pub fn give_back_any(&self) {
        self.put(self.common_key());
    }

    fn take(&self, key: u64, now: Timestamp) -> Result<(), u32> {
        if self.rate.burst == 0 {
            return Ok(());
        }
        let every = self.rate.step();
        let capacity = every.saturating_mul(i64::from(self.rate.burst));
        let mut buckets = self.full_at.lock();
        let full_at = buckets.entry(key, || now.0);
        // A clock that was set back must not lock anybody out.
        if *full_at < now.0 || *full_at > now.0.saturating_add(capacity) {
            *full_at = now.0;
        }
        let next = full_at.saturating_add(every);
        let over = next.saturating_sub(now.0.saturating_add(capacity));
        if over > 0 {
            return Err(u32::try_from(over.div_euclid(1000) + 1).unwrap_or(u32::MAX));
        }
        *full_at = next;
        Ok(())
    }

    fn put(&self, key: u64) {
        if let Some(full_at) = self.full_at.lock().get_mut(key) {
            *full_at = full_at.saturating_sub(self.rate.step());
        }
    }

    fn key(&self, client: &Client) -> u64 {
        match client {
            Client::Ip(IpAddr::V4(address)) => self.hasher.hash_one(address.octets()),
            Client::Ip(IpAddr::V6(address)) => self.hasher.hash_one(&address.octets()[..8]),
            Client::Circuit(circuit) => self.hasher.hash_one(circuit),
            Client::Unknown => self.common_key(),
        }
    }

    fn common_key(&self) -> u64 {
        self.hasher.hash_one(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };
    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn client(address: &str) -> Client {
        Client::Ip(address.parse().expect("an address"))
    }

    #[test]
    fn a_burst_is_allowed_then_one_per_interval() {
        let limiter = Limiter::new(RATE);
        let one = client("203.0.113.1");
        for _ in 0..3 {
            assert_eq!(limiter.admit(&one, START), Ok(()));
        }
        assert!(matches!(limiter.admit(&one, START), Err(10..=11)));
        assert_eq!(limiter.admit(&client("203.0.113.2"), START), Ok(()), "another client has its own bucket");
        assert_eq!(limiter.admit(&one, START.plus_secs(10)), Ok(()));
        assert!(limiter.admit(&one, START.plus_secs(10)).is_err());
        assert_eq!(limiter.admit(&one, START.plus_secs(-100_000)), Ok(()), "a clock set back locks nobody out");
    }

    #[test]
    fn this_machine_is_not_limited_and_an_ipv6_network_counts_as_one() {
        let limiter = Limiter::new(Rate { burst: 1, ..RATE });
        for _ in 0..5 {
            assert_eq!(limiter.admit(&client("127.0.0.1"), START), Ok(()));
        }
        assert_eq!(limiter.admit(&client("2001:db8::1"), START), Ok(()));
        assert!(limiter.admit(&client("2001:db8::2"), START).is_err());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_no_more_than_that() {
        let limiter = Limiter::new(RATE);
        let one = client("203.0.113.1");
        limiter.give_back(&one);
        for _ in 0..3 {
            assert_eq!(limiter.admit(&one, START), Ok(()));
        }
        limiter.give_back(&one);
        assert_eq!(limiter.admit(&one, START), Ok(()));
        assert!(limiter.admit(&one, START).is_err());
    }

    #[test]
    fn clients_that_nothing_is_known_of_count_as_one() {
        let limiter = Limiter::new(Rate { burst: 1, ..RATE });
        assert_eq!(limiter.admit(&Client::Unknown, START), Ok(()));
        assert!(limiter.admit(&Client::Unknown, START).is_err());
    }

    #[test]
    fn a_flood_of_clients_is_bounded_and_gives_nobody_back_what_they_have_used_up() {
        let limiter = Limiter::new(RATE);
        let greedy = client("203.0.113.1");
        while limiter.admit(&greedy, START).is_ok() {}
        for number in 0..u32::try_from(MAX_CLIENTS).expect("small") + 100 {
            let _ = limiter.admit(&Client::Ip(IpAddr::V4((0x0a00_0000 + number).into())), START);
        }
        assert!(limiter.full_at.lock().len() <= MAX_CLIENTS);
        assert!(limiter.admit(&greedy, START).is_err());
    }
}
