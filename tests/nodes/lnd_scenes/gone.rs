//! Invoices that the node does not keep.

use super::{HOLDING, TAKING, buy_held, buy_plain, scenes, state};
use crate::PATIENCE;
use crate::shop::{HOLDS, PLAIN, Shop};

const ON_THE_FLY: &str = "--gc-canceled-invoices-on-the-fly";
const A_MINUTE: &str = "[orders]\nexpiry_secs = 60\n";

scenes! {
    /// As Umbrel, RaspiBolt and MiniBolt set it: what is cancelled is gone in the same call.
    fn a_node_that_forgets_what_is_cancelled_at_once_ends_orders_as_any_other(network) {
        network.restart_lnd(&[ON_THE_FLY]);
        let shop = Shop::start_with(&network.lnd.usual_record("lnd_grpc"), &[HOLDS, PLAIN], A_MINUTE);
        let unpaid = [shop.order(HOLDING), shop.order(TAKING)];
        let failed = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&failed.request);
        shop.await_bridge(&failed, "P");
        assert_eq!(shop.report(&failed, "F").status, 200);
        payment.expect_given_back(PATIENCE);
        assert_eq!(state(&network.lnd, &failed), "unknown");
        buy_held(&shop, &network);
        buy_plain(&shop, &network);
        for sale in &unpaid {
            shop.await_order(sale, "R");
            assert_eq!(state(&network.lnd, sale), "unknown");
        }
        let ended = shop.order_view(&failed.order);
        assert_eq!(ended["status"], "R", "{ended}");
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

    /// `deleteinvoices` or a clean-up by hand while the shop is down.
    fn an_invoice_that_vanished_is_not_said_to_be_unpaid(network) {
        network.restart_lnd(&[ON_THE_FLY]);
        let mut shop = Shop::start(&network.lnd.usual_record("lnd_grpc"), &[HOLDS, PLAIN]);
        let sale = shop.order(TAKING);
        shop.process.kill();
        network.lnd.ask(&["cancelinvoice", &sale.hash]);
        assert_eq!(state(&network.lnd, &sale), "unknown");
        shop.serve();
        let ended = shop.await_order(&sale, "R");
        let message = ended["message"].as_str().unwrap_or_default();
        assert!(!message.contains("Nothing was charged"), "{ended}");
        let alerts = shop.run(&["alerts"]).to_string();
        assert!(alerts.contains(&sale.hash), "{alerts}");
    }
}
