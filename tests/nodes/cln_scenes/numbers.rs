//! A node that counts its settlements anew, and one with very many invoices of others.

use std::sync::Arc;
use std::time::Duration;

use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::cln::CoreLightning;
use ip2tor_shop::lightning::policy::Policy;

use super::{buy, scenes};
use crate::cln::Cln;
use crate::many::make_foreign_invoices;
use crate::shop::{NO_RESCAN, PLAIN, Shop};

const CROWD: usize = 10_000;
/// How long CPU time is measured.
const LOOK: Duration = Duration::from_secs(30);
/// What the shop may cost the node in that time, in hundredths of a second: it compares six times.
const COST: u64 = 200;

scenes! {
    fn a_node_that_is_restored_from_its_seed_and_counts_anew_is_heard_all_the_same(network) {
        let mut restored = network.add("restored");
        let shop = Shop::start_with(&restored.record(), &[PLAIN], NO_RESCAN);
        for _ in 0..3 {
            buy(&shop, &network);
        }
        let key = restored.pubkey.clone();
        restored.daemon.end();
        keep_only_the_seed(&restored);
        restored.start(&network.chain, &[]);
        assert_eq!(restored.ask(&["getinfo"])["id"], key.as_str());
        network.let_pay(&restored);
        shop.check_in();
        shop.await_offers();
        for _ in 0..3 {
            buy(&shop, &network);
        }
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

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

/// Of a node that has ended.
fn keep_only_the_seed(node: &Cln) {
    for entry in std::fs::read_dir(node.dir.join("regtest")).expect("its folder") {
        let path = entry.expect("a file").path();
        if path.is_file() && !path.ends_with("hsm_secret") {
            std::fs::remove_file(path).expect("it is removed");
        }
    }
}
