//! Scenes with an LND.

mod chain_down;
mod files;
mod gone;
mod kills;
mod lnurl;
mod numbers;
mod purchases;
mod refunds;
mod restarts;
mod rights;
mod strangers;

use crate::lnd::Lnd;
use crate::network::Network;
use crate::shop::{HOLDS, PLAIN, Sale, Shop};

/// Why the scenes do not run with the other tests.
macro_rules! scenes {
    ($($(#[$doc:meta])* fn $name:ident($network:ident) $body:block)+) => {$(
        $(#[$doc])*
        #[test]
        #[ignore = "needs real nodes: make test-nodes"]
        fn $name() {
            #[allow(unused_mut, reason = "some scenes restart nodes")]
            let mut $network = crate::network::Network::lock();
            $body
        }
    )+};
}
use scenes;

/// The number of the host that holds payments, and of the one that does not.
const HOLDING: usize = 0;
const TAKING: usize = 1;

/// A shop that sells through the network's node, for a host of each sort.
fn shop(network: &Network) -> Shop {
    Shop::start(&network.lnd.usual_record("lnd_grpc"), &[HOLDS, PLAIN])
}

/// A whole purchase that holds the payment until the host has delivered.
fn buy_held(shop: &Shop, network: &Network) -> Sale {
    let sale = shop.order(HOLDING);
    let mut payment = network.buyer.pay(&sale.request);
    shop.await_bridge(&sale, "P");
    assert_eq!(state(&network.lnd, &sale), "ACCEPTED", "nothing is taken before the host has delivered");
    shop.deliver(&sale);
    payment.expect_settled();
    shop.await_order(&sale, "P");
    sale
}

/// A whole purchase with a plain invoice.
fn buy_plain(shop: &Shop, network: &Network) -> Sale {
    let sale = shop.order(TAKING);
    network.buyer.pay(&sale.request).expect_settled();
    shop.deliver(&sale);
    shop.await_order(&sale, "P");
    sale
}

/// What the node says of the invoice of a sale.
fn state(lnd: &Lnd, sale: &Sale) -> String {
    let invoice = lnd.invoice(&sale.hash);
    invoice.map_or_else(|| "unknown".to_owned(), |invoice| invoice["state"].as_str().expect("a state").to_owned())
}
