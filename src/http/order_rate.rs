//! How many orders one client may place. An order costs nothing until it is paid, and holds a port for
//! the life of its invoice: what one client can hold for nothing has to be little. New circuits cost
//! nothing either, so that one gets far less than an address, and all onion clients share a rate; it is
//! spent by orders that are accepted alone, or anybody could use it up with orders of nothing.

use super::client::{Client, Origin};
use super::limiter::{Limiter, Rate};
use crate::domain::time::Timestamp;

/// The rates of new orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRates {
    /// Of one address.
    pub address: Rate,
    /// Of one circuit of the onion service.
    pub circuit: Rate,
    /// Of all circuits together.
    pub onion: Rate,
}

impl OrderRates {
    /// By how many are allowed in an hour; 0 is no limit.
    pub fn per_hour(address: u32, circuit: u32, onion: u32) -> Self {
        let [address, circuit, onion] = [address, circuit, onion].map(Rate::per_hour);
        Self { address, circuit, onion }
    }

    /// No limits.
    pub const OFF: Self = Self { address: Rate::OFF, circuit: Rate::OFF, onion: Rate::OFF };
}

impl Default for OrderRates {
    fn default() -> Self {
        // Within the 15 minutes of an invoice these are 42, 8 and 42 of a host's ports.
        Self::per_hour(100, 12, 100)
    }
}

/// Who has ordered lately.
pub struct OrderLimiters {
    address: Limiter,
    circuit: Limiter,
    onion: Limiter,
}

impl OrderLimiters {
    /// Nobody has.
    pub fn new(rates: OrderRates) -> Self {
        let [address, circuit, onion] = [rates.address, rates.circuit, rates.onion].map(Limiter::new);
        Self { address, circuit, onion }
    }

    /// Lets a new order in, or says in how many seconds to try again. Call [`OrderLimiters::refused`]
    /// if it is not accepted.
    pub fn admit(&self, origin: &Origin, now: Timestamp) -> Result<(), u32> {
        match &origin.client {
            _ if !origin.surface.is_limited() => Ok(()),
            client @ Client::Circuit(_) => {
                self.circuit.admit(client, now)?;
                // Whoever is held up by the others keeps what is theirs.
                self.onion.admit_any(now).inspect_err(|_| self.circuit.give_back(client))
            }
            client => self.address.admit(client, now),
        }
    }

    /// An order that was let in is not accepted: it holds nothing that others could use. Its client has
    /// made work all the same.
    pub fn refused(&self, origin: &Origin) {
        if origin.surface.is_limited() && matches!(origin.client, Client::Circuit(_)) {
            self.onion.give_back_any();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_the_defaults_neither_one_address_nor_the_onion_can_hold_half_of_a_hundred_ports() {
        let OrderRates { address, circuit, onion } = OrderRates::default();
        let held = |rate: Rate| u64::from(rate.burst) + 900 / rate.every.as_secs();
        assert!(held(address) < 50 && held(onion) < 50, "{address:?} {onion:?}");
        assert!(held(circuit) * 5 <= held(onion), "one circuit can't shut out the others: {circuit:?}");
        assert_eq!(OrderRates::per_hour(0, 0, 0), OrderRates::OFF);
    }
}
