//! Money back, from the shop's node.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{TAKING, scenes};
use crate::PATIENCE;
use crate::live::process::wait_until;
use crate::network::Network;
use crate::shop::{HOLDS, PLAIN, Sale, Shop, said};

/// What a bridge costs.
pub const PRICE_SAT: u64 = 25;

scenes! {
    fn money_is_paid_back_once_over_grpc(network) {
        pays_back_once(&network, "lnd_grpc");
    }

    fn money_is_paid_back_once_over_rest(network) {
        pays_back_once(&network, "lnd_rest");
    }

    fn a_refund_that_is_killed_on_its_way_is_unknown_until_the_node_says_how_it_ended(network) {
        killed_on_its_way(&network, "lnd_grpc");
    }

    fn a_refund_over_rest_that_is_killed_on_its_way_is_unknown_until_the_node_says_how_it_ended(network) {
        killed_on_its_way(&network, "lnd_rest");
    }
}

/// A shop that may pay, and an order that it owes.
pub fn owing(network: &Network, kind: &str) -> (Shop, Sale) {
    let shop = Shop::start(&network.lnd.usual_record(kind), &[HOLDS, PLAIN]);
    let pay: PathBuf = network.lnd.bake("pay.macaroon", &["offchain:read", "offchain:write"]);
    let pay = pay.display().to_string();
    shop.run(&["node", "set", &shop.node, "--payment-macaroon-file", &pay]);
    let sale = shop.order(TAKING);
    network.buyer.pay(&sale.request).expect_settled();
    shop.await_bridge(&sale, "P");
    assert_eq!(shop.report(&sale, "F").status, 200);
    shop.await_order(&sale, "N");
    (shop, sale)
}

fn pays_back_once(network: &Network, kind: &str) {
    let (shop, sale) = owing(network, kind);
    let request = network.buyer.request(PRICE_SAT);
    for _ in 0..4 {
        let mut command = shop.begin(&["order", "refund", &sale.order, &request]);
        command.wait(Duration::from_millis(fastrand::u64(20..400)));
        command.kill();
    }
    // The last of them may have asked the node just before its end.
    let paid = || shop.command(&["order", "refund", &sale.order, &request]).status.success().then_some(());
    let again = || (shop.order_view(&sale.order)["status"] == "S").then_some(());
    wait_until(PATIENCE, || again().or_else(paid)).expect("the money is paid back");
    shop.await_order(&sale, "S");
    assert_eq!(received(network, &request), PRICE_SAT);
    assert_eq!(times_paid(network, &request), 1);
    let twice = shop.command(&["order", "refund", &sale.order, &network.buyer.request(PRICE_SAT)]);
    assert!(!twice.status.success(), "{}", said(&twice));
}

fn killed_on_its_way(network: &Network, kind: &str) {
    let (shop, sale) = owing(network, kind);
    let preimage: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
    let hash = ip2tor_shop::domain::lightning::Preimage(preimage).hash().to_string();
    let held = network.buyer.ask(&["addholdinvoice", &hash, &PRICE_SAT.to_string()]);
    let request = held["payment_request"].as_str().unwrap();
    let mut command = shop.begin(&["order", "refund", &sale.order, request]);
    let arrived = || (network.buyer.invoice(&hash)?["state"] == "ACCEPTED").then_some(());
    wait_until(PATIENCE, arrived).unwrap_or_else(|| panic!("nothing came: {}", command.said()));
    command.kill();
    // The buyer asks for it in another way, while the first is still on its way.
    let other = network.buyer.request(PRICE_SAT);
    let refused = shop.command(&["order", "refund", &sale.order, &other]);
    assert!(!refused.status.success(), "{}", said(&refused));
    assert_eq!((received(network, &other), &shop.order_view(&sale.order)["status"]), (0, &Value::from("N")));
    network.buyer.ask(&["settleinvoice", &hex::encode(preimage)]);
    let noted = || {
        let _ = shop.command(&["order", "refund", &sale.order, request]);
        (shop.order_view(&sale.order)["status"] == "S").then_some(())
    };
    wait_until(PATIENCE, noted).expect("the refund is known to have been paid");
    assert_eq!(times_paid(network, request), 1);
    assert_eq!(received(network, &other), 0);
}

/// What the buyer's node was paid by this request, in sat.
pub fn received(network: &Network, request: &str) -> u64 {
    let hash = network.buyer.ask(&["decodepayreq", request])["payment_hash"].as_str().unwrap().to_owned();
    let invoice = network.buyer.invoice(&hash).expect("the buyer's invoice");
    invoice["amt_paid_sat"].as_str().and_then(|sat| sat.parse().ok()).unwrap()
}

/// How many payments for this request the shop's node has made.
pub fn times_paid(network: &Network, request: &str) -> usize {
    let list = network.lnd.ask(&["listpayments", "--max_payments=100", "--paginate_forwards=false"]);
    let payments = list["payments"].as_array().unwrap();
    payments.iter().filter(|payment| payment["payment_request"] == request && payment["status"] == "SUCCEEDED").count()
}
