//! Whole purchases, by both interfaces, in one part and in several.

use super::{HOLDING, buy_held, buy_plain, scenes, shop, state};
use crate::PATIENCE;
use crate::live::payer::Paid;
use crate::shop::{HOLDS, PLAIN, Shop};

/// More than one of the buyer's channels can send.
const LARGE: &[&str] = &["--use-holds=true", "--port-range", "22000-22999", "--tor-bridge-price-initial=5000000000"];
const LARGE_SAT: u64 = 5_000_000;

scenes! {
    fn a_bridge_is_bought_and_extended_over_grpc(network) {
        let shop = Shop::start(&network.lnd.usual_record("lnd_grpc"), &[HOLDS, PLAIN]);
        buy_and_extend(&shop, &network);
    }

    fn a_bridge_is_bought_and_extended_over_rest(network) {
        let shop = Shop::start(&network.lnd.usual_record("lnd_rest"), &[HOLDS, PLAIN]);
        buy_and_extend(&shop, &network);
    }

    fn the_macaroon_that_lnd_makes_for_invoices_is_enough(network) {
        let record = network.lnd.record("lnd_grpc", &network.lnd.stock("invoice.macaroon"));
        let shop = Shop::start(&record, &[HOLDS, PLAIN]);
        buy_held(&shop, &network);
        buy_plain(&shop, &network);
    }

    fn a_payment_in_several_parts_is_held_as_one_and_taken_as_one(network) {
        let shop = Shop::start(&network.lnd.usual_record("lnd_grpc"), &[LARGE]);
        let sale = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&sale.request);
        shop.await_bridge(&sale, "P");
        let held = network.lnd.invoice(&sale.hash).expect("the invoice");
        assert!(held["htlcs"].as_array().expect("parts").len() > 1, "{held}");
        shop.deliver(&sale);
        payment.expect_settled();
        shop.await_order(&sale, "P");
        let taken = network.lnd.invoice(&sale.hash).expect("the invoice");
        assert_eq!(taken["amt_paid_sat"], LARGE_SAT.to_string());
        // It goes back, so that the next scene finds the channels as they were.
        let mut back = network.lnd.pay(&network.buyer.request(LARGE_SAT));
        back.expect_settled();
    }

    fn a_host_that_fails_gives_the_held_payment_back(network) {
        let shop = shop(&network);
        let sale = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&sale.request);
        shop.await_bridge(&sale, "P");
        assert_eq!(shop.report(&sale, "F").status, 200);
        payment.expect_given_back(PATIENCE);
        assert_eq!(state(&network.lnd, &sale), "CANCELED");
        assert!(!shop.alerts().contains(&"order_needs_refund".to_owned()));
    }

    fn an_order_that_nobody_pays_is_cancelled_at_the_node_before_it_ends(network) {
        let config = "[orders]\nexpiry_secs = 60\n";
        let shop = Shop::start_with(&network.lnd.usual_record("lnd_grpc"), &[HOLDS, PLAIN], config);
        let sales = [shop.order(0), shop.order(1)];
        for sale in &sales {
            shop.await_order(sale, "R");
            assert_eq!(state(&network.lnd, sale), "CANCELED");
            let outcome = network.buyer.pay(&sale.request).outcome(PATIENCE);
            assert!(matches!(outcome, Paid::Failed(_)), "{outcome:?}");
        }
    }
}

fn buy_and_extend(shop: &Shop, network: &crate::network::Network) {
    for sale in [buy_held(shop, network), buy_plain(shop, network)] {
        let end = shop.bridge(&sale)["suspend_after"].clone();
        let more = shop.extend(&sale);
        network.buyer.pay(&more.request).expect_settled();
        shop.await_order(&more, "P");
        assert!(shop.bridge(&sale)["suspend_after"].as_str() > end.as_str(), "{}", shop.bridge(&sale));
    }
    assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
}
