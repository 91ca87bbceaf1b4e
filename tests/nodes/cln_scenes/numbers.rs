//! A node with very many invoices of others.

use std::sync::Arc;
use std::time::Duration;

use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::cln::CoreLightning;
use ip2tor_shop::lightning::policy::Policy;

use super::scenes;
use crate::many::make_foreign_invoices;
use crate::shop::{PLAIN, Shop};

const CROWD: usize = 10_000;
/// How long CPU time is measured.
const LOOK: Duration = Duration::from_secs(30);
/// What the shop may cost the node in that time, in hundredths of a second: it compares six times.
const COST: u64 = 200;

scenes! {
    fn ten_thousand_invoices_of_others_cost_the_node_next_to_nothing(network) {
        let crowded = network.add("crowded");
        let connector: Arc<dyn LightningNode> = Arc::new(CoreLightning::new(crowded.socket(), Policy::default()));
        make_foreign_invoices(&connector, CROWD);
        let cost = || {
            let before = crowded.daemon.cpu_ticks();
            std::thread::sleep(LOOK);
            crowded.daemon.cpu_ticks() - before
        };
        let idle = cost();
        let shop = Shop::start(&crowded.record(), &[PLAIN]);
        let _open = shop.order(0);
        let sale = shop.order(0);
        network.buyer.pay(&sale.request).expect_settled();
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
        let busy = cost();
        println!("lightningd used {idle} and with the shop {busy} hundredths of a second in {LOOK:?}");
        assert!(busy < idle + COST, "{idle} and {busy} hundredths of a second in {LOOK:?}");
    }
}
