//! Shop and node killed while a payment is held.

use super::{HOLDING, TAKING, scenes, shop, state};
use crate::PATIENCE;

scenes! {
    fn a_shop_that_is_killed_while_a_payment_is_held_takes_it_when_it_is_back(network) {
        let mut shop = shop(&network);
        let sale = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&sale.request);
        shop.await_bridge(&sale, "P");
        shop.process.kill();
        shop.serve();
        shop.deliver(&sale);
        // The activation is on disk; who carries it out is the next one.
        shop.process.kill();
        shop.serve();
        payment.expect_settled();
        shop.await_order(&sale, "P");
    }

    fn what_is_paid_while_the_shop_is_dead_is_noticed_when_it_is_back(network) {
        let mut shop = shop(&network);
        let (held, plain) = (shop.order(HOLDING), shop.order(TAKING));
        shop.process.kill();
        let mut holding = network.buyer.pay(&held.request);
        network.buyer.pay(&plain.request).expect_settled();
        shop.serve();
        shop.deliver(&held);
        shop.deliver(&plain);
        holding.expect_settled();
        shop.await_order(&held, "P");
        shop.await_order(&plain, "P");
    }

    fn a_node_that_is_killed_while_a_payment_is_held_lets_it_be_taken_when_it_is_back(network) {
        let shop = shop(&network);
        let sale = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&sale.request);
        shop.await_bridge(&sale, "P");
        network.lnd.daemon.kill();
        // The host delivers although the node is away.
        assert_eq!(shop.report(&sale, "A").status, 200);
        network.start_lnd();
        payment.expect_settled();
        shop.await_order(&sale, "P");
        assert_eq!(state(&network.lnd, &sale), "SETTLED");
    }

    fn shop_and_node_killed_together_lose_nothing(network) {
        let mut shop = shop(&network);
        let (held, failed) = (shop.order(HOLDING), shop.order(HOLDING));
        let (mut taken, mut returned) = (network.buyer.pay(&held.request), network.buyer.pay(&failed.request));
        shop.await_bridge(&held, "P");
        shop.await_bridge(&failed, "P");
        network.lnd.daemon.kill();
        assert_eq!(shop.report(&held, "A").status, 200);
        assert_eq!(shop.report(&failed, "F").status, 200);
        shop.process.kill();
        network.start_lnd();
        shop.serve();
        taken.expect_settled();
        returned.expect_given_back(PATIENCE);
        shop.await_order(&held, "P");
        assert_eq!(state(&network.lnd, &failed), "CANCELED");
    }
}
