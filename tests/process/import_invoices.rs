//! What could still be paid on the old shop, with a node that knows: the shop asks it when it starts, and follows it from then on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use ip2tor_lnd_simulator::{Hex32, Oddity, Options, Running, Simulator, Terms};
use ip2tor_shop::domain::lightning::{PaymentHash, Preimage};
use ip2tor_shop::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::import::{import, run, sample, serve, stderr};
use crate::live::now;
use crate::live::process::wait_until;

/// The bridge that the order is for, which runs, and the order of an extension that was not paid yet.
const BRIDGE: &str = "4c6bbbd4-f032-44b8-b08d-4b6c8fc94658";
const OPEN: &str = "62ed9f08-a958-4a2b-bc1d-5b061260bb25";
const PRICE: u64 = 20_000;
/// A period, and the least time of grace. Seconds.
const EXTENSION: i64 = 86_400 + 600;
const PATIENCE: Duration = Duration::from_secs(60);

/// A plain invoice as the old shop has its node make one: the preimage is the node's.
fn invoice(node: &Running, number: u8, expiry_secs: u64) -> PaymentHash {
    let preimage = Preimage([number; 32]);
    let hash = preimage.hash();
    let terms = Terms {
        hash: Hex32(hash.0),
        preimage: Some(Hex32([number; 32])),
        payment_addr: Hex32([number; 32]),
        memo: "PO: an order of the old shop".to_owned(),
        label: None,
        description_hash: Vec::new(),
        value_msat: PRICE,
        expiry_secs,
        cltv_expiry: 80,
        private: false,
        payment_request: String::new(),
        created_ms: i64::try_from(now()).unwrap() * 1000,
        oddity: Oddity::None,
        bulk: 0,
    };
    node.node().add(terms).unwrap();
    hash
}

/// The sample with the simulated node in the place of its own, an end of the bridge that is to come, and the order that
/// was not paid as many times as there are invoices. Returns the orders.
fn dump(node: &Running, hashes: &[PaymentHash], end: &str, file: &Path) -> Vec<String> {
    let mut objects: Vec<Value> = serde_json::from_slice(&std::fs::read(sample()).unwrap()).unwrap();
    let read = |name: &str| std::fs::read(node.dir().join(name)).unwrap();
    for object in &mut objects {
        if object["model"] == "lnnode.lndgrpcnode" {
            object["fields"]["hostname"] = json!("127.0.0.1");
            object["fields"]["port"] = json!(node.local_addr().port());
            object["fields"]["tls_cert"] = json!(String::from_utf8(read("tls.cert")).unwrap());
            object["fields"]["macaroon_invoice"] = json!(hex::encode(read("shop.macaroon")));
        }
        if object["pk"] == BRIDGE {
            object["fields"]["suspend_after"] = json!(end);
        }
    }
    let is_its_own = |object: &Value| object["pk"] == OPEN || object["fields"]["po"] == OPEN;
    let link = objects.iter().find(|object| object["model"] == "lninvoice.purchaseorderinvoice" && is_its_own(object));
    let link = link.unwrap()["pk"].clone();
    let (own, mut rest): (Vec<Value>, Vec<Value>) =
        objects.into_iter().partition(|object| is_its_own(object) || object["pk"] == link);
    let mut orders = Vec::new();
    for (number, hash) in hashes.iter().enumerate() {
        let copy = |id: &str| format!("{}{number:04x}", &id[..id.len() - 4]);
        let order = copy(OPEN);
        for object in &own {
            let mut object = object.clone();
            object["pk"] = json!(copy(object["pk"].as_str().unwrap()));
            if object["fields"].get("po").is_some() {
                object["fields"]["po"] = json!(order);
            }
            if object["model"] == "lninvoice.invoice" {
                object["fields"]["payment_hash"] = json!(data_encoding::BASE64.encode(&hash.0));
                object["fields"]["expires_at"] = json!(end);
            }
            rest.push(object);
        }
        orders.push(order);
    }
    std::fs::write(file, serde_json::to_vec(&rest).unwrap()).unwrap();
    orders
}

fn shown(dir: &Path, noun: &str, id: &str) -> Value {
    let output = run(dir, &[noun, "show", id, "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn invoices_that_could_still_be_paid_on_the_old_shop_are_looked_up_at_its_node_and_followed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (shop, file) = (dir.path().join("shop"), dir.path().join("dump.json"));
    std::fs::DirBuilder::new().mode(0o700).create(&shop).unwrap();
    let config = "[http]\nlisten = \"127.0.0.1:0\"\n[onion]\nenabled = false\n[lightning]\nallow_regtest = true\n";
    std::fs::write(shop.join("config.toml"), config).unwrap();
    let options = Options::new(([127, 0, 0, 1], 0).into(), dir.path().join("lnd"));
    let node = runtime.block_on(Simulator::start(options)).unwrap();
    let (before, after, over) = (invoice(&node, 1, 3600), invoice(&node, 2, 3600), invoice(&node, 3, 1));
    let made_by = now();
    let end = Timestamp::from_secs(i64::try_from(now()).unwrap() + 86_400);
    let orders = dump(&node, &[before, after, over], &end.to_wire(), &file);
    let pay = |hash| node.node().arrive(hash, &[PRICE], PRICE).unwrap();
    // While neither shop runs.
    pay(before);

    let done = import(&shop, &file, &["--yes"]);
    assert!(done.status.success(), "{}", stderr(&done));
    // The third can no longer be paid when the shop first looks.
    assert!(wait_until(PATIENCE, || Some(()).filter(|()| now() > made_by + 1)).is_some());
    let (_running, _) = serve(&shop);
    let becomes = |order: &str, letter: &str| {
        let is_so = || Some(()).filter(|()| shown(&shop, "order", order)["status"] == letter);
        assert!(wait_until(PATIENCE, is_so).is_some(), "{}", shown(&shop, "order", order));
    };
    let extended = |times: i64| {
        let bridge = shown(&shop, "bridge", BRIDGE);
        assert_eq!(bridge["suspend_after"], end.plus_secs(times * EXTENSION).to_wire(), "{bridge}");
    };
    becomes(&orders[0], "P");
    becomes(&orders[2], "R");
    extended(1);
    pay(after);
    becomes(&orders[1], "P");
    extended(2);
    assert_eq!(shown(&shop, "order", &orders[2])["received"], Value::Null);
}
