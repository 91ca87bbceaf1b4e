//! Macaroons that allow too little or too much, baked on the node.

use std::path::PathBuf;

use super::{HOLDING, buy_held, buy_plain, scenes, state};
use crate::network::Network;
use crate::shop::{HOLDS, PLAIN, Shop, said};

/// Every call that the shop needs, beside those that a scene leaves out.
const CALLS: [&str; 10] = [
    "/lnrpc.Lightning/AddInvoice",
    "/lnrpc.Lightning/LookupInvoice",
    "/lnrpc.Lightning/ListInvoices",
    "/lnrpc.Lightning/SubscribeInvoices",
    "/lnrpc.Lightning/GetInfo",
    "/invoicesrpc.Invoices/LookupInvoiceV2",
    "/invoicesrpc.Invoices/SubscribeSingleInvoice",
    HOLD,
    SETTLE,
    CANCEL,
];
const HOLD: &str = "/invoicesrpc.Invoices/AddHoldInvoice";
const SETTLE: &str = "/invoicesrpc.Invoices/SettleInvoice";
const CANCEL: &str = "/invoicesrpc.Invoices/CancelInvoice";

scenes! {
    fn a_macaroon_that_names_each_call_is_enough(network) {
        let shop = Shop::start(&without(&network, &[]), &[HOLDS, PLAIN]);
        buy_held(&shop, &network);
        buy_plain(&shop, &network);
    }

    fn a_macaroon_that_cannot_cancel_is_refused_when_the_node_is_added(network) {
        let shop = Shop::prepare("");
        let refused = add(&shop, &without(&network, &[CANCEL]), &[]);
        assert!(!refused.status.success(), "{}", said(&refused));
        assert!(said(&refused).contains("CancelInvoice") || said(&refused).contains("cancel"), "{}", said(&refused));
        assert_eq!(shop.run(&["node", "list"]).as_array().map(Vec::len), Some(0), "nothing is stored");
    }

    /// `--untested` stores it all the same; it never makes an invoice that could not end.
    fn a_node_that_cannot_cancel_makes_no_invoice(network) {
        let mut shop = Shop::prepare("");
        let added = add(&shop, &without(&network, &[CANCEL]), &["--untested"]);
        assert!(added.status.success(), "{}", said(&added));
        shop.add_hosts(&[HOLDS, PLAIN]);
        shop.serve();
        std::thread::sleep(std::time::Duration::from_secs(8));
        assert_eq!(shop.offered(), 0);
        let check = shop.command(&["node", "check"]);
        assert!(!check.status.success() && said(&check).to_lowercase().contains("cancel"), "{}", said(&check));
    }

    fn a_node_that_cannot_hold_makes_plain_invoices_and_says_so(network) {
        let shop = Shop::start(&without(&network, &[HOLD]), &[HOLDS, PLAIN]);
        let check = shop.command(&["node", "check"]);
        assert!(check.status.success() && said(&check).to_lowercase().contains("hold"), "{}", said(&check));
        let sale = shop.order(HOLDING);
        network.buyer.pay(&sale.request).expect_settled();
        assert_eq!(state(&network.lnd, &sale), "SETTLED", "there was nothing to hold it with");
        shop.deliver(&sale);
        shop.await_order(&sale, "P");
    }

    fn macaroons_that_are_none_for_invoices_are_refused_by_add_and_set(network) {
        let shop = Shop::prepare("");
        let wrong = [network.lnd.stock("readonly.macaroon"), network.lnd.stock("admin.macaroon")];
        for macaroon in &wrong {
            let refused = add(&shop, &network.lnd.record("lnd_grpc", macaroon), &[]);
            assert!(!refused.status.success(), "{}", said(&refused));
        }
        let added = add(&shop, &network.lnd.usual_record("lnd_grpc"), &[]);
        assert!(added.status.success(), "{}", said(&added));
        let list = shop.run(&["node", "list"]);
        let node = list[0]["id"].as_str().unwrap();
        for macaroon in &wrong {
            let refused = shop.command(&["node", "set", node, "--macaroon-file", &macaroon.display().to_string()]);
            assert!(!refused.status.success(), "{}", said(&refused));
        }
        let check = shop.command(&["node", "check"]);
        assert!(check.status.success(), "the old one is still used: {}", said(&check));
    }

    /// Built without `invoicesrpc`: it would make invoices, and never end one.
    fn a_node_without_the_service_for_cancelling_is_refused_and_makes_no_invoice(network) {
        let Some(program) = bare_lnd() else {
            println!("not run: LND_BARE_BIN names no folder with an lnd that was built without invoicesrpc");
            return;
        };
        let mut bare = network.add("bare", &[]);
        bare.program = program;
        bare.restart(&network.chain, &[]);
        for kind in ["lnd_grpc", "lnd_rest"] {
            let mut shop = Shop::prepare("");
            let refused = add(&shop, &bare.usual_record(kind), &[]);
            assert!(!refused.status.success() && said(&refused).contains("not served"), "{}", said(&refused));
            assert_eq!(shop.run(&["node", "list"]).as_array().map(Vec::len), Some(0), "nothing is stored");
            let added = add(&shop, &bare.usual_record(kind), &["--untested"]);
            assert!(added.status.success(), "{}", said(&added));
            shop.add_hosts(&[HOLDS, PLAIN]);
            shop.serve();
            std::thread::sleep(std::time::Duration::from_secs(8));
            assert_eq!(shop.offered(), 0);
        }
        assert_eq!(bare.ask(&["listinvoices"])["invoices"].as_array().map(Vec::len), Some(0));
    }

    /// A call that is not allowed is a line of level ERR in the node's log.
    fn nothing_is_asked_that_the_macaroon_does_not_allow(network) {
        let before = network.lnd.daemon.said().len();
        let shop = Shop::start(&network.lnd.usual_record("lnd_grpc"), &[HOLDS, PLAIN]);
        buy_held(&shop, &network);
        std::thread::sleep(std::time::Duration::from_secs(12));
        let log = network.lnd.daemon.said();
        let complaints: Vec<&str> = log[before..].lines().filter(|line| line.contains("permission denied")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

/// A record with a macaroon that allows every call but these.
fn without(network: &Network, left_out: &[&str]) -> Vec<String> {
    let calls = CALLS.iter().filter(|call| !left_out.contains(call)).map(|call| format!("uri:{call}"));
    let calls: Vec<String> = calls.collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let macaroon = network.lnd.bake("calls.macaroon", &calls);
    network.lnd.record("lnd_grpc", &macaroon)
}

fn bare_lnd() -> Option<PathBuf> {
    let program = PathBuf::from(std::env::var_os("LND_BARE_BIN")?).join("lnd");
    program.is_file().then_some(program)
}

fn add(shop: &Shop, record: &[String], more: &[&str]) -> std::process::Output {
    let record: Vec<&str> = record.iter().map(String::as_str).collect();
    shop.command(&[&["node", "add"], &record[..], more].concat())
}
