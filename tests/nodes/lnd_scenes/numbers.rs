//! A node that counts its settlements anew, and one with very many invoices of others.

use std::sync::Arc;
use std::time::Duration;

use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::connector::NodeAddress;
use ip2tor_shop::lightning::credentials::{Credentials, Source};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::lightning::lnd_grpc::LndGrpc;
use ip2tor_shop::lightning::policy::Policy;

use super::{HOLDING, TAKING, scenes};
use crate::live::process::wait_until;
use crate::lnd::Lnd;
use crate::locked::Locked;
use crate::many::make_foreign_invoices;
use crate::network::Network;
use crate::shop::{HOLDS, NO_RESCAN, PLAIN, Shop};

/// A settlement that a stream misses is found within this, although nothing is compared by schedule.
const SOON: Duration = Duration::from_secs(20);
/// Before that, LND's invoices could not be taken along.
const FIRST_WITH_THE_MOVE: u32 = 19;
const CROWD: usize = 10_000;
/// How long CPU time is measured.
const LOOK: Duration = Duration::from_secs(30);
/// What the shop may cost the node in that time, in hundredths of a second: it compares six times, and one that reads
/// all invoices costs four times as much.
const COST: u64 = 400;

scenes! {
    fn a_node_that_moves_to_native_sql_and_counts_anew_is_heard_all_the_same(network) {
        if network.lnd.minor_version() < FIRST_WITH_THE_MOVE {
            println!("not run: this LND has no move to native SQL");
            return;
        }
        let mut sql = network.add("sql", &["--db.backend=sqlite"]);
        let shop = Shop::start_with(&sql.usual_record("lnd_grpc"), &[HOLDS, PLAIN], NO_RESCAN);
        for _ in 0..4 {
            buy(&shop, &network, TAKING);
        }
        sql.daemon.end();
        sql.start(&network.chain, &["--db.use-native-sql"]);
        network.buyer.connect(&sql);
        sql.await_channels(1);
        shop.check_in();
        shop.await_offers();
        for host in [TAKING, TAKING, HOLDING, TAKING] {
            buy(&shop, &network, host);
        }
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

    fn a_node_that_is_restored_from_its_seed_and_counts_anew_is_heard_all_the_same(network) {
        let mut restored = Locked::create(&mut network);
        network.let_pay(&restored.node);
        let shop = Shop::start_with(&restored.node.usual_record("lnd_grpc"), &[HOLDS, PLAIN], NO_RESCAN);
        for _ in 0..4 {
            buy(&shop, &network, TAKING);
        }
        restored.restore(&network);
        network.let_pay(&restored.node);
        shop.check_in();
        shop.await_offers();
        for host in [TAKING, TAKING, HOLDING, TAKING] {
            buy(&shop, &network, host);
        }
        assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
    }

    fn ten_thousand_invoices_of_others_cost_the_node_next_to_nothing(network) {
        let crowded = network.add("crowded", &[]);
        make_foreign_invoices(&connector(&crowded), CROWD);
        let idle = cost(&crowded);
        let shop = Shop::start(&crowded.usual_record("lnd_grpc"), &[HOLDS, PLAIN]);
        let _open = shop.order(TAKING);
        buy(&shop, &network, TAKING);
        buy(&shop, &network, HOLDING);
        let busy = cost(&crowded);
        println!("LND used {idle} and with the shop {busy} hundredths of a second in {LOOK:?}");
        assert!(busy < idle + COST, "{idle} and {busy} hundredths of a second in {LOOK:?}");
    }
}

fn connector(node: &Lnd) -> Arc<dyn LightningNode> {
    let credentials = Credentials {
        certificate: Some(Source::File(node.file("tls.cert"))),
        macaroon: Source::File(node.file("shop.macaroon")),
        details_macaroon: None,
    };
    ip2tor_shop::onion::tls::install_provider();
    let address = NodeAddress { host: "127.0.0.1".to_owned(), port: node.grpc };
    Arc::new(LndGrpc::new(address, credentials, Policy::default(), Dial::direct()).unwrap())
}

fn cost(node: &Lnd) -> u64 {
    let before = node.daemon.cpu_ticks();
    std::thread::sleep(LOOK);
    node.daemon.cpu_ticks() - before
}

/// A purchase that has to be heard of soon.
fn buy(shop: &Shop, network: &Network, host: usize) {
    let sale = shop.order(host);
    let mut payment = network.buyer.pay(&sale.request);
    let paid = || (shop.bridge(&sale)["status"] == "P").then_some(());
    if wait_until(SOON, paid).is_none() {
        panic!("not heard of: {:?}\n{}", payment.outcome(Duration::ZERO), shop.log());
    }
    shop.deliver(&sale);
    payment.expect_settled();
    shop.await_order(&sale, "P");
}
