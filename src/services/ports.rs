//! Drawing the port of a new bridge. Orders cost nothing until they are paid, so those that are not
//! paid yet get only a part of a host's ports: nobody can use up a host for the price of waiting.

use crate::store::Connection;

use super::Error;
use super::shop::Shop;
use crate::domain::host::{Host, PortRange};
use crate::domain::id::ProductId;
use crate::store::{places, products};

/// So many unpaid orders are always accepted: a host with few ports is not worth dividing.
const ALWAYS: u32 = 5;
/// With more free ports than this nobody is refused: the limits of orders per client keep one person
/// from using them up, and counting the orders of such a host would cost each of them.
const PLENTY: u32 = 1000;
/// When a buyer should try again, in seconds: unpaid orders expire one after the other.
const RETRY_SECS: u32 = 120;

/// Reserves a free port of the host for a new bridge.
pub(super) fn draw(shop: &Shop, db: &Connection, host: &Host, product: ProductId) -> Result<u16, Error> {
    let ranges = places::bridge_ranges(db, host.id)?;
    refuse_when_unpaid(shop, db, host, &ranges)?;
    places::reserve_port(db, &*shop.random, &host.ip, &ranges, product)?.ok_or_else(no_ports)
}

/// Looks at the orders only when so few ports are free that the rule could hold.
fn refuse_when_unpaid(shop: &Shop, db: &Connection, host: &Host, ranges: &[PortRange]) -> Result<(), Error> {
    let used: u32 = ranges.iter().map(|range| range.used).sum();
    let free: u32 = ranges.iter().map(PortRange::free).sum();
    let most = most_unpaid(used.saturating_add(free), shop.settings.unpaid_share_percent);
    if (1..=PLENTY).contains(&free) && used >= most && products::has_unpaid_bridges(db, host.id, most)? {
        let detail = "Many orders for this host are waiting for their payment. Please try again in a few minutes, or \
                      choose another host."
            .to_owned();
        return Err(Error::Throttled { detail, retry_after_secs: RETRY_SECS });
    }
    Ok(())
}

/// How many of `ports` orders may hold that are not paid.
fn most_unpaid(ports: u32, percent: u32) -> u32 {
    let share = u64::from(ports).saturating_mul(u64::from(percent)).div_ceil(100);
    u32::try_from(share).unwrap_or(u32::MAX).max(ALWAYS)
}

fn no_ports() -> Error {
    Error::non_field("The current host does not have any Tor bridge ports available.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_rounded_up_and_small_hosts_are_not_divided() {
        assert_eq!((most_unpaid(100, 50), most_unpaid(101, 50)), (50, 51));
        assert_eq!((most_unpaid(2, 50), most_unpaid(100, 0)), (5, 5));
        assert_eq!(most_unpaid(100, 100), 100, "all of them: never refused while a port is free");
    }
}
