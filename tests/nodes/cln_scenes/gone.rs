//! Invoices that the node does not keep.

use super::{buy, scenes, state};
use crate::PATIENCE;
use crate::live::process::wait_until;
use crate::shop::{PLAIN, Shop};

scenes! {
    fn a_node_that_cleans_up_at_once_sells_as_any_other(network) {
        network.restart_cln(&[
            "--autoclean-cycle=1", "--autoclean-paidinvoices-age=1", "--autoclean-expiredinvoices-age=1",
        ]);
        let shop = Shop::start(&network.cln.record(), &[PLAIN]);
        for _ in 0..3 {
            let sale = buy(&shop, &network);
            let cleaned = || (state(&network, &sale) == "unknown").then_some(());
            wait_until(PATIENCE, cleaned).expect("it is cleaned up");
            // A comparison later.
            std::thread::sleep(std::time::Duration::from_secs(6));
            assert_eq!(shop.order_view(&sale.order)["status"], "P");
        }
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

    fn an_invoice_that_was_paid_and_cleaned_up_while_the_shop_was_down_is_not_said_to_be_unpaid(network) {
        let mut shop = Shop::start(&network.cln.record(), &[PLAIN]);
        let sale = shop.order(0);
        shop.process.kill();
        network.buyer.pay(&sale.request).expect_settled();
        let cleaned = || {
            network.cln.ask(&["autoclean-once", "subsystem=paidinvoices", "age=1"]);
            (state(&network, &sale) == "unknown").then_some(())
        };
        wait_until(PATIENCE, cleaned).expect("it is cleaned up");
        shop.serve();
        let ended = shop.await_order(&sale, "R");
        let message = ended["message"].as_str().unwrap_or_default();
        assert!(!message.contains("Nothing was charged"), "{ended}");
        let alerts = shop.run(&["alerts"]).to_string();
        assert!(alerts.contains(&sale.hash), "{alerts}");
    }
}
