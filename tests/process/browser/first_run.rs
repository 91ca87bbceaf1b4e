//! The first run: from an empty folder and `serve` to the first bridge that is sold, in a browser alone. What is not the
//! operator's part is played here: the host's scripts, and the buyer's wallet.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::admin::visit;
use super::looks::is_fine;
use super::session::{Browser, DESKTOP, is_installed};
use crate::live::http::{Body, Client};
use crate::live::payer::{Paid, pay};
use crate::live::port::free_port;
use crate::live::process::{Process, wait_until};
use crate::live::shop::{Node, START, TARGET};

const PASSWORD: &str = "quite an odd sentence 17";

#[test]
fn an_empty_folder_becomes_a_shop_that_has_sold_a_bridge_without_the_command_line() {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path().join("node"));
    let (shop, admin) = (free_address(), free_address());
    let mut serve = serve(dir.path(), shop, admin);
    let mut browser = Browser::chromium(DESKTOP);
    let admin = format!("http://{admin}");

    browser.go(&link(&mut serve));
    browser.wait_for("[name=password]");
    is_fine(&mut browser, "the first administrator");
    browser.fill("[name=password]", PASSWORD);
    browser.click("form button.main");
    browser.wait_for("main ol.steps li.next");
    is_fine(&mut browser, "first steps");
    browser.screenshot("first-run-steps");

    name_the_shop(&mut browser);
    add_node(&mut browser, &admin, &node);
    let host = add_host(&mut browser, &admin);
    let client = Client::new(shop);
    let as_host = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { Body::None } else { Body::Json(body) };
        let answer = client.as_host(&host.token).send(method, path, &body).expect("an answer");
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        answer.json()
    };
    as_host("POST", &format!("/api/v1/hosts/{}/check_in/", host.id), Value::Null);

    visit(&mut browser, &admin, "start");
    assert_eq!(done(&mut browser), 6, "{}", browser.text("main"));
    browser.go(&format!("http://{shop}/"));
    browser.click("a.button[href^='/shop/hosts/']");
    browser.fill("#target", TARGET);
    browser.click("#bridge-tos");
    browser.click("main form:has(#target) button.main");
    browser.wait_for("[data-state=to_pay] img.qr");
    let request = browser.value("#invoice");
    let paying = std::thread::spawn({
        let dir = node.dir.clone();
        move || pay(&dir, &request, START)
    });
    let list = format!("/api/v1/tor_bridges/?host={}&status=P", host.id);
    let bridge = wait_until(START, || {
        let bridges = as_host("GET", &list, Value::Null);
        bridges[0]["id"].as_str().map(str::to_owned)
    });
    let bridge = bridge.expect("the host is told of it");
    as_host("PATCH", &format!("/api/v1/tor_bridges/{bridge}/"), json!({"status": "A"}));
    assert_eq!(paying.join().expect("the payer ends"), Paid::Settled);
    browser.wait_for("[data-state=active] #address");

    visit(&mut browser, &admin, "start");
    assert_eq!(done(&mut browser), 7, "{}", browser.text("main"));
    visit(&mut browser, &admin, "dashboard");
    is_fine(&mut browser, "the overview of a shop that has sold");
    browser.screenshot("first-run-sold");
    visit(&mut browser, &admin, &format!("products/{bridge}"));
    assert!(browser.text("h1").contains(TARGET));
    serve.signal("TERM");
}

struct NewHost {
    id: String,
    token: String,
}

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

fn serve(dir: &Path, shop: SocketAddr, admin: SocketAddr) -> Process {
    let data = dir.join("data");
    std::fs::create_dir(&data).expect("a folder");
    let config = format!(
        "[http]\nlisten = \"{shop}\"\nadmin_listen = \"{admin}\"\n[lightning]\nallow_regtest = true\n[onion]\nenabled = \
         false\n[probe]\npolicy = \"off\"\n"
    );
    std::fs::write(data.join("config.toml"), config).expect("the configuration is written");
    Process::start(&["serve", "--data-dir", &data.display().to_string()], &dir.join("shop.log"))
}

/// The link that `serve` prints while nobody runs the shop.
fn link(serve: &mut Process) -> String {
    let found = wait_until(START, || {
        let said = serve.said();
        said.split_whitespace().find(|word| word.contains("/admin/#setup=")).map(str::to_owned)
    });
    found.expect("a link")
}

/// How many of the first steps are done.
fn done(browser: &mut Browser) -> u64 {
    let count = browser.run("return document.querySelectorAll('ol.steps .badge.good').length;");
    count.as_u64().expect("a number")
}

fn name_the_shop(browser: &mut Browser) {
    browser.click("ol.steps li.next a.button");
    browser.wait_for("[name=domain]");
    is_fine(browser, "settings");
    browser.fill("[name=name]", "Shop of the first run");
    browser.fill("[name=domain]", "shop.first-run.example.net");
    browser.click("main form button.main");
    browser.wait_for("#said:not(:empty)");
}

fn add_node(browser: &mut Browser, admin: &str, node: &Node) {
    visit(browser, admin, "start");
    browser.click("ol.steps li.next a.button");
    browser.wait_for("[name=macaroon]");
    browser.fill("[name=name]", "my node");
    browser.fill("[name=host]", "127.0.0.1");
    browser.fill("[name=port]", &node.address.port().to_string());
    browser.run("document.querySelectorAll('main details').forEach((group) => { group.open = true; });");
    for (field, file) in [("certificate_file", "tls.cert"), ("macaroon_file", "shop.macaroon")] {
        browser.fill(&format!("[name={field}]"), &node.dir.join(file).display().to_string());
    }
    browser.click("main form button.main");
    browser.wait_for("main .note.good dl");
    is_fine(browser, "a node that answers");
    browser.screenshot("first-run-node");
}

fn add_host(browser: &mut Browser, admin: &str) -> NewHost {
    // Whether the node answers is asked for by the shop itself, within a minute.
    visit(browser, admin, "hosts?new=1");
    browser.fill("[name=name]", "bridge1");
    browser.fill("[name=ip]", "192.0.2.1");
    browser.click("main form button.main");
    browser.wait_for("main .note.good pre");
    is_fine(browser, "a new host");
    browser.screenshot("first-run-host");
    let block = browser.text("main .note.good pre");
    let value = |name: &str| {
        let line = block.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in {block}"));
        line.split_once('=').expect("a value").1.trim_matches(['"', '\'']).to_owned()
    };
    NewHost { id: value("IP2TOR_HOST_ID"), token: value("IP2TOR_HOST_TOKEN") }
}
