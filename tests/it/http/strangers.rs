//! What strangers can do: what the shop remembers of them, what it writes for them, what other web sites can
//! make a browser do, and what is in the text that they send.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ip2tor_shop::config::Config;
use ip2tor_shop::http::REMEMBERED;
use ip2tor_shop::http::server::limits;
use ip2tor_shop::http::server::limits::ConnectionLimits;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::listen::listen;
use crate::support::{ONION, PASSWORD, TestShop};

const MIB: usize = 1 << 20;

#[test]
fn all_that_strangers_can_make_the_shop_remember_stays_under_sixteen_mib() {
    let sum: usize = REMEMBERED.iter().map(|(_, bytes)| bytes).sum();
    let rows: Vec<String> = REMEMBERED.iter().map(|(what, bytes)| format!("{what}: {} KiB", bytes >> 10)).collect();
    assert!(sum < 16 * MIB, "{} KiB in all; {rows:#?}", sum >> 10);
    assert_eq!(Config::default().http.max_connections, limits::DEFAULT_PLACES, "the sum is that of the defaults");
    assert_eq!(ConnectionLimits::default().max_connections, limits::DEFAULT_PLACES);
}

#[tokio::test]
async fn the_documentation_has_every_operation_and_runs_no_script() {
    let shop = TestShop::new();
    let yaml = shop.ask("GET", "/openapi.yaml").send().await.text();
    assert!(yaml == include_str!("../../../openapi.yaml"), "it is part of the program");
    let page = shop.ask("GET", "/docs/").send().await;
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    let html = page.text();
    let operations = yaml.lines().filter_map(|line| line.trim().strip_prefix("operationId: "));
    let missing: Vec<_> = operations.filter(|id| !html.contains(&format!("<details id=\"{id}\">"))).collect();
    assert!(missing.is_empty() && html.contains("<summary><code>POST /api/v1/public/order/</code>"), "{missing:?}");
    let links = html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    let nowhere: Vec<_> = links.filter(|name| !html.contains(&format!("id=\"{name}\""))).collect();
    assert!(nowhere.is_empty() && !html.contains("<script"), "{nowhere:?}");
}

fn basic(name: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{PASSWORD}")))
}

#[tokio::test]
async fn no_look_of_a_stranger_writes_anything() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let qr = shop.ask("GET", &format!("/api/v1/public/pos/{order}/")).send().await.json()["ln_invoices"][0]["qr_image"]
        .as_str()
        .and_then(|url| url.split_once("/media/"))
        .map(|(_, path)| format!("/media/{path}"))
        .expect("a picture");
    let before = shop.shop.db.version().expect("a version");
    for path in [
        "/",
        "/docs/",
        "/openapi.yaml",
        "/healthz",
        "/readyz",
        "/nope",
        "/shop/host",
        "/api/v1/public/hosts/",
        "/api/v1/hosts/",
        &format!("/api/v1/public/pos/{order}/"),
        &format!("/api/v1/public/invoices/{order}/"),
        &qr,
    ] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let answer = shop.ask(method, path).send().await;
            assert_eq!(shop.shop.db.version().expect("a version"), before, "{method} {path}: {}", answer.status);
        }
    }
    assert_eq!(shop.ask("GET", "/readyz").send().await.json()["database"]["writable"], true);
}

#[tokio::test]
async fn a_browser_of_an_operator_changes_nothing_for_another_site() {
    let shop = TestShop::new();
    let path = format!("/api/v1/hosts/{}/check_in/", shop.host("host1"));
    let ask = |method: &str| shop.ask(method, &path).header("Authorization", basic("admin"));
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let answer = ask("POST").header(name, value).form("ci_message=hacked").send().await;
        assert_eq!(answer.status, 403, "{name}: {value}: {}", answer.text());
        assert_eq!(ask("GET").header(name, value).send().await.status, 403, "{name}: {value}");
    }
    assert_eq!(ask("GET").send().await.status, 403, "a picture on any page sends neither");
    assert_eq!(ask("HEAD").send().await.status, 403);
    assert_eq!(ask("GET").header("Sec-Fetch-Site", "same-origin").send().await.status, 200);
    assert_eq!(ask("POST").send().await.status, 200, "a program sends neither");
    let own = ask("POST").header("Origin", "https://shop.example:8000").header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.send().await.status, 200);
    let host = shop.ask("GET", &path).token("host1").header("Origin", "https://evil.example").send().await;
    assert_eq!(host.status, 200, "no browser adds a token by itself");
    let delete = shop.ask("DELETE", &format!("/api/v1/hosts/{}/", shop.host("host1")));
    let delete = delete.header("Authorization", basic("admin")).header("Origin", "https://evil.example");
    assert_eq!(delete.send().await.status, 403);
}

#[tokio::test]
async fn only_its_own_host_is_shown_a_product_and_no_picture_on_a_page_of_somebody_else_sets_a_port_aside() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(order).await;
    let shown = || shop.view(order).product.shown_at;
    let detail = format!("/api/v1/tor_bridges/{}/", shop.view(order).product.id);
    let before = shop.shop.db.version().expect("a version");
    for path in ["/api/v1/tor_bridges/", "/api/v1/tor_bridges/?status=P", &detail] {
        let look = shop.ask("GET", path).header("Authorization", basic("admin"));
        let seen = look.header("Sec-Fetch-Site", "cross-site").send().await;
        assert!(seen.status == 200 && seen.text().contains("\"P\""), "{path}: {}", seen.text());
        assert_eq!(shown(), None, "{path}: an administrator has no forward");
    }
    assert_eq!(shop.shop.db.version().expect("a version"), before, "looking writes nothing");
    shop.ask("GET", &detail).token("host1").send().await;
    assert_eq!(shown(), Some(shop.shop.now()));
}

#[tokio::test]
async fn text_with_characters_that_do_something_is_refused() {
    let shop = TestShop::new();
    let check_in = format!("/api/v1/hosts/{}/check_in/", shop.host("host1"));
    let host = format!("/api/v1/hosts/{}/", shop.host("host1"));
    let order = json!({
        "product": "tor_bridge", "host_id": shop.host("host1").to_string(), "tos_accepted": true,
        "target": format!("{ONION}:80"),
    });
    for rude in
        ["a\u{1b}[2Jb", "a\nb", "a\rb", "a\tb", "a\u{7f}b", "a\u{9b}b", "a\u{202e}b", "a\u{2066}b", "a\u{200f}b"]
    {
        let said = shop.ask("POST", &check_in).token("host1").json(&json!({ "ci_message": rude })).send().await;
        assert_eq!((said.status.as_u16(), said.json()["ci_message"].is_array()), (400, true), "{rude:?}");
        let named = shop.ask("PATCH", &host).token("host1").json(&json!({ "name": rude })).send().await;
        assert_eq!((named.status.as_u16(), named.json()["name"].is_array()), (400, true), "{rude:?}");
        let mut order = order.clone();
        order["comment"] = json!(rude);
        let ordered = shop.ask("POST", "/api/v1/public/order/").json(&order).send().await;
        assert_eq!((ordered.status.as_u16(), ordered.json()["comment"].is_array()), (400, true), "{rude:?}");
    }
    for fine in ["ünï ✓", "日本語", "שלום", "  a b \n"] {
        let said = shop.ask("POST", &check_in).token("host1").json(&json!({ "ci_message": fine })).send().await;
        assert_eq!(said.status, 200, "{fine:?}");
    }
}

#[tokio::test]
async fn names_that_are_stored_already_change_nothing_in_the_monitoring_configuration() {
    let shop = TestShop::new();
    shop.active_bridge("host1", None).await;
    shop.sql("UPDATE host SET name = 'a\"' || char(10) || '[[outputs.exec]]' || char(27)");
    let answer = shop.ask("GET", "/api/v1/tor_bridges/get_telegraf_config/").token("host1").send().await;
    let config: toml::Table = answer.text().parse().expect("TOML");
    assert_eq!(config.keys().collect::<Vec<_>>(), ["inputs"]);
    let name = &config["inputs"]["http_response"][0]["tags"]["bridge_host"];
    assert_eq!(name.as_str(), Some("a\"\n[[outputs.exec]]\u{1b}"));
}

#[tokio::test]
async fn every_answer_tells_browsers_and_caches_what_to_do() {
    let shop = TestShop::new();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/docs/"),
        ("GET", "/openapi.yaml"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/nope"),
        ("GET", "/shop/host"),
        ("POST", "/healthz"),
        ("OPTIONS", "/healthz"),
        ("GET", "/media/invoices/2026/11/qr_x.png"),
        ("GET", "/api/v1/public/hosts/"),
        ("GET", "/api/v1/public/hosts"),
        ("GET", "/api/v1/nope/"),
        ("POST", "/api/v1/public/order/"),
        ("GET", "/api/v1/hosts/"),
        ("GET", "/%"),
    ] {
        let Ok(uri) = path.parse::<poem::http::Uri>() else { continue };
        let answer = shop.ask(method, &uri.to_string()).send().await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{method} {path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path} {policy}"
        );
        assert!(!policy.contains("script-src 'unsafe-inline'"), "{path} {policy}");
        assert_ne!(answer.header("cache-control"), "", "{method} {path}");
    }
    let api = shop.ask("GET", "/api/v1/hosts/").token("host1").send().await;
    assert_eq!(api.header("cache-control"), "no-store", "what one caller may see");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_http_1_1_names_its_host_once() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    for (head, status) in [
        ("GET /healthz HTTP/1.1\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\nhost: b.example\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a.example\r\n", 200),
        ("GET /healthz HTTP/1.1\r\nHost: a.example:8000\r\n", 200),
        ("GET /healthz HTTP/1.1\r\nHost: [2001:db8::1]:8000\r\n", 200),
        ("GET /healthz HTTP/1.1\r\nHost: a, b\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a b/<script>\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a.example:x\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: [a.example]\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: \r\n", 400),
        ("GET /healthz HTTP/1.0\r\nHost: \r\n", 200),
        ("GET /healthz HTTP/1.0\r\nHost: a, b\r\n", 400),
        ("GET /healthz HTTP/1.0\r\n", 200),
        ("GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n", 400),
    ] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let begins = [format!("HTTP/1.1 {status} "), format!("HTTP/1.0 {status} ")];
        assert!(begins.iter().any(|begin| answer.starts_with(begin)), "{head:?}: {answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{head:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_packed_for_the_way_is_refused() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    for (coding, refused) in
        [("chunked", false), ("Chunked", false), ("gzip, chunked", true), ("deflate,chunked", true)]
    {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let head = format!(
            "POST /api/v1/public/order/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: {coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert_eq!(answer.contains("Transfer-Encoding is chunked"), refused, "{coding}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 400 "), "a body of nothing, or none that is read: {coding}: {answer}");
    }
}

#[tokio::test]
async fn bodies_are_read_as_they_are() {
    let shop = TestShop::new();
    let post = |kind: &str| shop.ask("POST", "/api/v1/public/order/").header("Content-Type", kind);
    for encoding in ["gzip", "br", "identity, gzip", "x"] {
        let answer = post("application/json").header("Content-Encoding", encoding).bytes("{}").send().await;
        assert_eq!(answer.status, 415, "{encoding}");
    }
    let plain = post("application/json").header("Content-Encoding", "identity").bytes("{}").send().await;
    assert_eq!(plain.status, 400, "it was read");
    let mark = post("application/json").bytes("\u{feff}{\"product\": \"x\"}").send().await;
    assert_eq!(mark.json()["product"], json!(["\"x\" is not a valid choice."]), "{}", mark.text());
    let none = post("multipart/form-data").bytes("--x--").send().await;
    assert_eq!(none.status, 400);
    assert!(none.text().contains("boundary"), "{}", none.text());
}

#[tokio::test]
async fn the_monitoring_configuration_writes_an_ipv6_address_in_brackets() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let port = shop.ask("GET", &format!("/api/v1/public/tor_bridges/{bridge}/")).send().await.json()["port"].clone();
    shop.sql("UPDATE host SET ip = '2001:db8::1' WHERE name = 'host1'");
    let answer = shop.ask("GET", "/api/v1/tor_bridges/get_telegraf_config/").token("host1").send().await;
    let config: toml::Table = answer.text().parse().expect("TOML");
    let urls = &config["inputs"]["http_response"][0]["urls"];
    assert_eq!(urls[0].as_str(), Some(format!("https://[2001:db8::1]:{port}").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_with_the_headers_of_every_answer() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let good = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(17 << 10));
    for (before, request, status) in
        [("", "nonsense\r\n\r\n", 400), ("", &large, 431), (good, "GET / HTTP/9\r\n\r\n", 400)]
    {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(before.as_bytes()).await.expect("sent");
        let mut answer = vec![0; 4096];
        if !before.is_empty() {
            let count = stream.read(&mut answer).await.expect("an answer");
            assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
        }
        stream.write_all(request.as_bytes()).await.expect("sent");
        let count = stream.read(&mut answer).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..count]);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.ends_with("\r\n\r\n"), "{answer}");
        for line in [
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(&format!("\r\n{line}")), "{line}: {answer}");
        }
    }
}
