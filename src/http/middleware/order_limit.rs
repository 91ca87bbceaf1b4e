//! How many orders one client may place. An order costs nothing until it is paid, and holds a port for
//! the life of its invoice: what one client can hold for nothing has to be little. New circuits cost
//! nothing either, so that one gets far less than an address, and all onion clients share a rate. So do
//! all addresses, since somebody may have many. What is shared is spent by orders that are accepted alone,
//! or anybody could use it up with orders of nothing.

use super::rate_limit::{Limiter, Rate};
use crate::domain::time::Timestamp;
use crate::http::server::client::{Client, Origin};

/// The rates of new orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRates {
    /// Of one address.
    pub address: Rate,
    /// Of all addresses together.
    pub clearnet: Rate,
    /// Of one circuit of the onion service.
    pub circuit: Rate,
    /// Of all circuits together.
    pub onion: Rate,
}

impl OrderRates {
    /// By how many are allowed in an hour; 0 is no limit.
    pub fn per_hour(address: u32, clearnet: u32, circuit: u32, onion: u32) -> Self {
        let [address, clearnet, circuit, onion] = [address, clearnet, circuit, onion].map(Rate::per_hour);
        Self { address, clearnet, circuit, onion }
    }

    /// No limits.
    pub const OFF: Self = Self { address: Rate::OFF, clearnet: Rate::OFF, circuit: Rate::OFF, onion: Rate::OFF };
}

impl Default for OrderRates {
    fn default() -> Self {
        // Within the 15 minutes of an invoice these are 42, 209, 8 and 42 unpaid orders.
        Self::per_hour(100, 500, 12, 100)
    }
}

/// Who has ordered lately.
pub struct OrderLimiters {
    one: Limiters,
    all: Limiters,
}

/// A limiter for addresses and one for circuits.
struct Limiters {
    addresses: Limiter,
    circuits: Limiter,
}

impl Limiters {
    fn new(addresses: Rate, circuits: Rate) -> Self {
        Self { addresses: Limiter::new(addresses), circuits: Limiter::new(circuits) }
    }

    /// The one for this client.
    const fn of(&self, client: &Client) -> &Limiter {
        match client {
            Client::Circuit(_) => &self.circuits,
            Client::Ip(_) | Client::Unknown => &self.addresses,
        }
    }
}

impl OrderLimiters {
    /// Nobody has.
    pub fn new(rates: OrderRates) -> Self {
        let OrderRates { address, clearnet, circuit, onion } = rates;
        Self { one: Limiters::new(address, circuit), all: Limiters::new(clearnet, onion) }
    }

    /// Lets a new order in, or says in how many seconds to try again. Call [`OrderLimiters::refused`]
    /// if it is not accepted.
    pub fn admit(&self, origin: &Origin, now: Timestamp) -> Result<(), u32> {
        if !is_limited(origin) {
            return Ok(());
        }
        let one = self.one.of(&origin.client);
        one.admit(&origin.client, now)?;
        // Whoever is held up by the others keeps what is theirs.
        self.all.of(&origin.client).admit_any(now).inspect_err(|_| one.give_back(&origin.client))
    }

    /// An order that was let in is not accepted: it holds nothing that others could use. Its client has
    /// made work all the same.
    pub fn refused(&self, origin: &Origin) {
        if is_limited(origin) {
            self.all.of(&origin.client).give_back_any();
        }
    }
}

/// Whether an order counts: neither the operator's own nor those from this machine do.
fn is_limited(origin: &Origin) -> bool {
    origin.surface.is_limited() && !origin.client.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::http::server::surface::Surface;
    use crate::services::Settings;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    /// The unpaid orders that a rate allows within the life of an invoice.
    fn held(rate: Rate) -> u64 {
        u64::from(rate.burst) + u64::from(Settings::default().invoice_expiry_secs) / rate.every.as_secs()
    }

    fn from(address: [u8; 4]) -> Origin {
        Origin { client: Client::Ip(address.into()), surface: Surface::Clearnet, base: String::new() }
    }

    #[test]
    fn with_the_defaults_neither_one_address_nor_the_onion_can_hold_half_of_a_hundred_ports() {
        let OrderRates { address, circuit, onion, .. } = OrderRates::default();
        assert!(held(address) < 50 && held(onion) < 50, "{address:?} {onion:?}");
        assert!(held(circuit) * 5 <= held(onion), "one circuit can't shut out the others: {circuit:?}");
        assert_eq!(OrderRates::per_hour(0, 0, 0, 0), OrderRates::OFF);
    }

    #[test]
    fn with_the_defaults_all_strangers_together_cannot_switch_the_holds_of_a_node_off_with_unpaid_orders() {
        let OrderRates { address, clearnet, onion, .. } = OrderRates::default();
        assert!(held(clearnet) + held(onion) < u64::from(Settings::default().max_unpaid_holds_per_node));
        assert!(held(address) * 4 < held(clearnet), "one address can't shut out the others");
    }

    #[test]
    fn many_addresses_share_a_rate_and_what_is_not_accepted_costs_only_its_client() {
        let rate = |burst| Rate { burst, every: std::time::Duration::from_secs(600) };
        let limiters = OrderLimiters::new(OrderRates { address: rate(2), clearnet: rate(3), ..OrderRates::OFF });
        let [one, two, three] = [1, 2, 3].map(|last| from([203, 0, 113, last]));
        assert_eq!(limiters.admit(&one, START), Ok(()));
        limiters.refused(&one);
        assert_eq!(limiters.admit(&one, START), Ok(()));
        assert!(limiters.admit(&one, START).is_err(), "a refused order made work all the same");
        assert_eq!(limiters.admit(&two, START), Ok(()));
        assert_eq!(limiters.admit(&two, START), Ok(()));
        assert!(limiters.admit(&three, START).is_err(), "three have been accepted");
        for _ in 0..5 {
            assert_eq!(limiters.admit(&from([127, 0, 0, 1]), START), Ok(()), "this machine is not counted");
            limiters.refused(&from([127, 0, 0, 1]));
        }
        assert!(limiters.admit(&three, START).is_err(), "nor does it give back what is not its own");
        assert_eq!(limiters.admit(&three, START.plus_secs(600)), Ok(()), "what the others had taken was not its own");
    }
}
