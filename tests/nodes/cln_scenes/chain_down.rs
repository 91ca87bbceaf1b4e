//! A chain backend that hangs.

use std::time::Duration;

use super::{scenes, shop};

scenes! {
    fn purchases_go_on_while_the_chain_backend_hangs(network) {
        let shop = shop(&network);
        let _hang = network.chain.hang();
        std::thread::sleep(Duration::from_secs(20));
        let sale = shop.order(0);
        network.buyer.pay(&sale.request).expect_settled();
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
        assert!(shop.alerts().is_empty(), "{:?}\n{}", shop.alerts(), shop.log());
    }
}
