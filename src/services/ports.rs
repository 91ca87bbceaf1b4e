//! Drawing the port of a new bridge. Whoever asks gets one while there is one: an order holds its port
//! for the life of its invoice. What keeps one client from holding many for nothing is how many orders
//! it may place (`http::limiter`), since only there it is known who asks.

use crate::store::Connection;

use super::Error;
use super::shop::Shop;
use crate::domain::host::Host;
use crate::domain::id::ProductId;
use crate::store::places;

/// Reserves a free port of the host for a new bridge.
pub(super) fn draw(shop: &Shop, db: &Connection, host: &Host, product: ProductId) -> Result<u16, Error> {
    let ranges = places::bridge_ranges(db, host.id)?;
    places::reserve_port(db, &*shop.random, &host.ip, &ranges, product)?
        .ok_or_else(|| Error::non_field("The current host does not have any Tor bridge ports available."))
}
