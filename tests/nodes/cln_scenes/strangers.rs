//! What others do with the same node must neither disturb the shop nor be disturbed by it.

use std::time::Duration;

use super::{buy, scenes, shop, state};

scenes! {
    fn spontaneous_payments_and_offers_disturb_nothing(network) {
        let mut shop = shop(&network);
        network.buyer.keysend(&network.cln, 1);
        let offer = network.cln.ask(&["offer", "amount=1000msat", "description=tea"]);
        let fetched = network.buyer.cli(&["fetchinvoice", &format!("offer={}", offer["bolt12"].as_str().unwrap())]);
        let invoice = fetched.expect("an invoice of the offer");
        network.buyer.pay(invoice["invoice"].as_str().unwrap()).expect_settled();
        buy(&shop, &network);
        shop.process.kill();
        shop.serve();
        buy(&shop, &network);
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
        assert!(!shop.log().contains("stream ended"), "{}", shop.log());
    }

    fn two_shops_on_one_node_leave_each_other_alone(network) {
        let first = shop(&network);
        let open = first.order(0);
        let second = shop(&network);
        buy(&second, &network);
        // Two comparisons of each.
        std::thread::sleep(Duration::from_secs(12));
        assert_eq!(state(&network, &open), "unpaid", "{}", second.log());
        network.buyer.pay(&open.request).expect_settled();
        first.deliver(&open);
        first.await_order(&open, "P");
        for shop in [&first, &second] {
            assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
        }
    }
}
