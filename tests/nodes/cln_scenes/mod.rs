//! Scenes with a Core Lightning. It can't hold payments: they are taken at once, and owed when nothing is delivered.

mod chain_down;
mod clocks;
mod folders;
mod gone;
mod kills;
mod lnurl;
mod numbers;
mod purchases;
mod refunds;
mod strangers;

use crate::cln_network::ClnNetwork;
use crate::shop::{PLAIN, Sale, Shop};

/// Why the scenes do not run with the other tests.
macro_rules! scenes {
    ($($(#[$doc:meta])* fn $name:ident($network:ident) $body:block)+) => {$(
        $(#[$doc])*
        #[test]
        #[ignore = "needs real nodes: make test-nodes"]
        fn $name() {
            #[allow(unused_mut, reason = "some scenes restart nodes")]
            let mut $network = crate::cln_network::ClnNetwork::lock();
            $body
        }
    )+};
}
use scenes;

fn shop(network: &ClnNetwork) -> Shop {
    Shop::start(&network.cln.record(), &[PLAIN])
}

/// A whole purchase.
fn buy(shop: &Shop, network: &ClnNetwork) -> Sale {
    let sale = shop.order(0);
    network.buyer.pay(&sale.request).expect_settled();
    shop.deliver(&sale);
    shop.await_order(&sale, "P");
    sale
}

/// What the node says of the invoice of a sale.
fn state(network: &ClnNetwork, sale: &Sale) -> String {
    let invoice = network.cln.invoice(&sale.hash);
    invoice.map_or_else(|| "unknown".to_owned(), |invoice| invoice["status"].as_str().expect("a state").to_owned())
}
