//! What others do with the same node must neither disturb the shop nor be disturbed by it.

use std::time::Duration;

use super::{HOLDING, TAKING, buy_held, buy_plain, scenes, shop, state};
use crate::network::Network;
use crate::shop::{Sale, Shop};

/// A payment is heard of within this, not by the next look at everything.
const SOON: Duration = Duration::from_secs(4);

scenes! {
    fn spontaneous_payments_and_blinded_invoices_disturb_nothing(network) {
        let before = shop(&network);
        surprise(&network);
        sells(&before, &network);
        // The same for one that is started with all this there.
        let mut after = shop(&network);
        sells(&after, &network);
        surprise(&network);
        after.process.kill();
        after.serve();
        sells(&after, &network);
    }

    fn spontaneous_payments_disturb_no_shop_that_uses_rest(network) {
        let shop = Shop::start(&network.lnd.usual_record("lnd_rest"), &[crate::shop::HOLDS, crate::shop::PLAIN]);
        surprise(&network);
        sells(&shop, &network);
    }

    /// With that macaroon the key is read from an invoice. It is one of the shop's own: the newest is signed with another
    /// key, and none is made for this.
    fn the_newest_invoice_is_a_blinded_one_and_the_macaroon_is_for_invoices_only(network) {
        let record = network.lnd.record("lnd_grpc", &network.lnd.stock("invoice.macaroon"));
        let mut shop = Shop::start(&record, &[crate::shop::HOLDS, crate::shop::PLAIN]);
        buy_plain(&shop, &network);
        let open = shop.order(TAKING);
        blinded(&network);
        let before = invoices(&network);
        shop.process.kill();
        shop.serve();
        // Its key is compared before the absence of an invoice is believed, and before anything is sold.
        std::thread::sleep(Duration::from_secs(6));
        assert!(!shop.alerts().contains(&"node_dead".to_owned()), "{}", shop.log());
        assert_eq!(shop.run(&["node", "list"])[0]["pubkey"], network.lnd.pubkey.as_str());
        assert_eq!(invoices(&network), before, "no sample is made");
        network.buyer.pay(&open.request).expect_settled();
        shop.await_bridge(&open, "P");
    }

    fn two_shops_on_one_node_leave_each_other_alone(network) {
        let first = shop(&network);
        let (held, open) = (first.order(HOLDING), first.order(TAKING));
        let mut payment = network.buyer.pay(&held.request);
        first.await_bridge(&held, "P");
        let second = shop(&network);
        buy_held(&second, &network);
        buy_plain(&second, &network);
        // Two comparisons of each.
        std::thread::sleep(Duration::from_secs(12));
        assert_eq!(state(&network.lnd, &held), "ACCEPTED", "{}", second.log());
        assert_eq!(state(&network.lnd, &open), "OPEN", "{}", second.log());
        first.deliver(&held);
        payment.expect_settled();
        network.buyer.pay(&open.request).expect_settled();
        first.await_bridge(&open, "P");
        for shop in [&first, &second] {
            assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
        }
    }
}

/// How many invoices the node has, also cancelled ones.
fn invoices(network: &Network) -> usize {
    let list = network.lnd.ask(&["listinvoices", "--max_invoices=10000"]);
    list["invoices"].as_array().expect("a list").len()
}

/// Everything that reaches a node without its owner's doing.
fn surprise(network: &Network) {
    network.buyer.pay_unasked(&network.lnd, "--amp", 1);
    network.buyer.pay_unasked(&network.lnd, "--keysend", 1);
    blinded(network);
}

/// An invoice of somebody else's on the node, with blinded paths.
fn blinded(network: &Network) {
    network.lnd.ask(&["addinvoice", "--blind", "--amt=1000"]);
}

/// A payment is heard of at once, and the stream holds.
fn sells(shop: &Shop, network: &Network) {
    buy_held(shop, network);
    let sale = shop.order(TAKING);
    network.buyer.pay(&sale.request).expect_settled();
    await_soon(shop, &sale);
    assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    let log = shop.log();
    assert!(!log.contains("stream ended"), "{log}");
}

fn await_soon(shop: &Shop, sale: &Sale) {
    let paid = || (shop.bridge(sale)["status"] == "P").then_some(());
    crate::live::process::wait_until(SOON, paid).unwrap_or_else(|| panic!("not heard of: {}", shop.log()));
}
