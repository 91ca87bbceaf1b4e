//! Shop and node killed around a payment.

use super::{buy, scenes, shop, state};

scenes! {
    fn what_is_paid_while_the_shop_is_dead_is_noticed_when_it_is_back(network) {
        let mut shop = shop(&network);
        let sale = shop.order(0);
        shop.process.kill();
        network.buyer.pay(&sale.request).expect_settled();
        shop.serve();
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
    }

    fn a_node_that_is_killed_right_after_a_payment_tells_of_it_when_it_is_back(network) {
        let shop = shop(&network);
        let sale = shop.order(0);
        network.buyer.pay(&sale.request).expect_settled();
        network.cln.daemon.kill();
        network.start_cln();
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
        shop.check_in();
        shop.await_offers();
        buy(&shop, &network);
    }

    fn an_order_of_before_a_restart_of_the_node_can_be_paid_after_it(network) {
        let mut shop = shop(&network);
        let sale = shop.order(0);
        network.cln.daemon.kill();
        shop.process.kill();
        network.start_cln();
        shop.serve();
        network.buyer.pay(&sale.request).expect_settled();
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

    fn invoices_that_ended_while_the_shop_was_down_are_deleted_as_well(network) {
        let mut shop = crate::shop::Shop::start_with(
            &network.cln.record(), &[crate::shop::PLAIN], "[orders]\nexpiry_secs = 60\n",
        );
        let sale = shop.order(0);
        shop.process.kill();
        std::thread::sleep(std::time::Duration::from_secs(65));
        assert_eq!(state(&network, &sale), "expired");
        shop.serve();
        shop.await_order(&sale, "R");
        let deleted = || (state(&network, &sale) == "unknown").then_some(());
        crate::live::process::wait_until(crate::PATIENCE, deleted).expect("it is deleted at the node");
    }
}
