//! Money back, from the shop's node.

use std::time::Duration;

use super::{scenes, shop};
use crate::PATIENCE;
use crate::cln_network::ClnNetwork;
use crate::live::process::wait_until;
use crate::shop::{Sale, Shop, said};

/// What a bridge costs.
pub const PRICE_SAT: u64 = 25;

scenes! {
    fn money_is_paid_back_once_whoever_is_killed(network) {
        let (shop, sale) = owing(&network);
        let request = network.buyer.request(PRICE_SAT);
        for _ in 0..4 {
            let mut command = shop.begin(&["order", "refund", &sale.order, &request]);
            command.wait(Duration::from_millis(fastrand::u64(20..400)));
            command.kill();
        }
        let paid = || {
            let _ = shop.command(&["order", "refund", &sale.order, &request]);
            (shop.order_view(&sale.order)["status"] == "S").then_some(())
        };
        wait_until(PATIENCE, paid).expect("the money is paid back");
        assert_eq!(times_paid(&network, &request), 1);
        let other = network.buyer.request(PRICE_SAT);
        let twice = shop.command(&["order", "refund", &sale.order, &other]);
        assert!(!twice.status.success(), "{}", said(&twice));
    }

    fn paying_back_is_switched_on_for_each_node(network) {
        let shop = shop(&network);
        let sale = owed(&shop, &network);
        let refused = shop.command(&["order", "refund", &sale.order, &network.buyer.request(PRICE_SAT)]);
        assert!(!refused.status.success(), "{}", said(&refused));
        shop.await_order(&sale, "N");
    }
}

/// How many payments for this request the shop's node has made.
pub fn times_paid(network: &ClnNetwork, request: &str) -> usize {
    let list = network.cln.ask(&["listpays", &format!("bolt11={request}")]);
    list["pays"].as_array().unwrap().iter().filter(|pay| pay["status"] == "complete").count()
}

/// A shop that may pay, and an order that it owes.
pub fn owing(network: &ClnNetwork) -> (Shop, Sale) {
    let shop = shop(network);
    shop.run(&["node", "set", &shop.node, "--pays-refunds=true"]);
    let sale = owed(&shop, network);
    (shop, sale)
}

fn owed(shop: &Shop, network: &ClnNetwork) -> Sale {
    let sale = shop.order(0);
    network.buyer.pay(&sale.request).expect_settled();
    shop.await_bridge(&sale, "P");
    assert_eq!(shop.report(&sale, "F").status, 200);
    shop.await_order(&sale, "N");
    sale
}
