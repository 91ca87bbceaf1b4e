//! A node that is restarted is no dead node, whatever it answers meanwhile.

use std::time::Duration;

use super::{TAKING, buy_plain, scenes, shop};
use crate::locked::Locked;
use crate::shop::{HOLDS, PLAIN, Shop};

scenes! {
    fn a_node_that_is_restarted_raises_no_alert(network) {
        let shop = shop(&network);
        buy_plain(&shop, &network);
        network.restart_lnd(&[]);
        assert!(shop.alerts().is_empty(), "{:?}\n{}", shop.alerts(), shop.log());
        shop.check_in();
        shop.await_offers();
        buy_plain(&shop, &network);
        assert!(shop.alerts().is_empty(), "{:?}\n{}", shop.alerts(), shop.log());
    }

    fn a_node_that_waits_for_its_password_raises_no_alert_and_no_advice_on_macaroons(network) {
        let mut locked = Locked::create(&mut network);
        let shop = Shop::start(&locked.node.usual_record("lnd_grpc"), &[HOLDS, PLAIN]);
        shop.order(TAKING);
        locked.restart(&network);
        std::thread::sleep(Duration::from_secs(15));
        assert!(shop.alerts().is_empty(), "{:?}\n{}", shop.alerts(), shop.log());
        assert!(!shop.log().contains("bakemacaroon"), "{}", shop.log());
        locked.unlock(&network);
        shop.check_in();
        shop.await_offers();
        shop.order(TAKING);
        assert!(shop.alerts().is_empty(), "{:?}\n{}", shop.alerts(), shop.log());
    }

    fn blocks_that_come_while_the_shop_sells_do_not_close_it(network) {
        let shop = shop(&network);
        for _ in 0..20 {
            network.mine(1);
            assert_eq!(shop.offered(), 2, "{}", shop.log());
        }
        assert!(shop.alerts().is_empty(), "{:?}\n{}", shop.alerts(), shop.log());
    }
}
