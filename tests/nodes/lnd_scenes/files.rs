//! Certificates that LND renews.

use super::{HOLDING, buy_held, buy_plain, scenes};
use crate::shop::{HOLDS, PLAIN, Shop};

scenes! {
    fn a_certificate_that_is_renewed_while_a_payment_is_held_is_picked_up(network) {
        let shops = ["lnd_grpc", "lnd_rest"].map(|kind| Shop::start(&network.lnd.usual_record(kind), &[HOLDS, PLAIN]));
        let sales = shops.each_ref().map(|shop| shop.order(HOLDING));
        let mut payments = sales.each_ref().map(|sale| network.buyer.pay(&sale.request));
        for (shop, sale) in shops.iter().zip(&sales) {
            shop.await_bridge(sale, "P");
        }
        let old = std::fs::read(network.lnd.file("tls.cert")).unwrap();
        network.lnd.daemon.end();
        for name in ["tls.cert", "tls.key"] {
            std::fs::remove_file(network.lnd.file(name)).unwrap();
        }
        network.start_lnd();
        assert_ne!(std::fs::read(network.lnd.file("tls.cert")).unwrap(), old);
        for (shop, sale) in shops.iter().zip(&sales) {
            shop.deliver(sale);
            shop.await_order(sale, "P");
        }
        payments.iter_mut().for_each(|payment| payment.expect_settled());
        for shop in &shops {
            shop.check_in();
            shop.await_offers();
            buy_held(shop, &network);
            buy_plain(shop, &network);
        }
    }
}
