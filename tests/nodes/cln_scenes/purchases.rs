//! Whole purchases, in one part and in several.

use std::time::Duration;

use super::{buy, scenes, shop, state};
use crate::PATIENCE;
use crate::live::payer::Paid;
use crate::live::process::wait_until;
use crate::shop::{HOLDS, PLAIN, Shop, said};

/// More than one of the buyer's channels can send.
const LARGE: &[&str] = &["--port-range", "22000-22999", "--tor-bridge-price-initial=5000000000"];
const LARGE_SAT: u64 = 5_000_000;

scenes! {
    fn a_bridge_is_bought_and_extended(network) {
        // Whether or not the host would rather have payments held.
        let shop = Shop::start(&network.cln.record(), &[PLAIN, HOLDS]);
        let sale = buy(&shop, &network);
        let end = shop.bridge(&sale)["suspend_after"].clone();
        let more = shop.extend(&sale);
        network.buyer.pay(&more.request).expect_settled();
        shop.await_order(&more, "P");
        assert!(shop.bridge(&sale)["suspend_after"].as_str() > end.as_str(), "{}", shop.bridge(&sale));
        let other = shop.order(1);
        network.buyer.pay(&other.request).expect_settled();
        shop.deliver(&other);
        shop.await_order(&other, "P");
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

    fn a_payment_in_several_parts_is_one_payment(network) {
        let shop = Shop::start(&network.cln.record(), &[LARGE]);
        let sale = shop.order(0);
        network.buyer.pay(&sale.request).expect_settled();
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
        let parts = network.buyer.ask(&["listsendpays", &format!("payment_hash={}", sale.hash)]);
        assert!(parts["payments"].as_array().expect("parts").len() > 1, "{parts}");
        // It goes back, so that the next scene finds the channels as they were.
        network.cln.pay(&network.buyer.request(LARGE_SAT)).expect_settled();
    }

    fn an_order_that_nobody_pays_ends_and_is_deleted_at_the_node(network) {
        let shop = Shop::start_with(&network.cln.record(), &[PLAIN], "[orders]\nexpiry_secs = 60\n");
        let sale = shop.order(0);
        shop.await_order(&sale, "R");
        wait_until(PATIENCE, || (state(&network, &sale) == "unknown").then_some(())).expect("it is deleted at the node");
        let outcome = network.buyer.pay(&sale.request).outcome(PATIENCE);
        assert!(matches!(outcome, Paid::Failed(_)), "{outcome:?}");
    }

    fn channels_count_only_with_a_connected_peer(network) {
        let shop = shop(&network);
        let check = || said(&shop.command(&["node", "check"]));
        assert!(check().contains("2 active channels"), "{}", check());
        network.buyer.daemon.end();
        let gone = || (check().contains("0 active channels") && check().contains("can receive 0 sat")).then_some(());
        wait_until(Duration::from_secs(20), gone).unwrap_or_else(|| panic!("{}", check()));
    }

    fn ports_and_macaroons_are_refused_and_a_node_without_a_name_gets_a_short_one(network) {
        let shop = shop(&network);
        let list = shop.run(&["node", "list"]);
        let name = list[0]["name"].as_str().expect("a name");
        assert!(name.len() < 40, "{name}");
        let socket = network.cln.socket().display().to_string();
        let any = shop.database().display().to_string();
        for more in [["--port", "9735"], ["--macaroon-file", &any], ["--details-macaroon-file", &any]] {
            let refused = shop.command(&[&["node", "add", "--kind", "cln", "--host", &socket], &more[..]].concat());
            assert!(!refused.status.success(), "{more:?}: {}", said(&refused));
        }
    }
}
