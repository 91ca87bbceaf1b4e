//! Every page: headers, languages, weight, what is shown when nothing can be sold, and strings that would like to be markup.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use ip2tor_shop::domain::host::ALIVE_SECS;

use crate::support::request::Answer;
use crate::support::{ONION, TestShop};

/// The random part of a page's form.
pub fn token_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"token\" value=\"").expect("a form");
    rest.split('"').next().expect("a value").to_owned()
}

/// How far the page of an order says it is.
pub fn state_of(page: &str) -> &str {
    let (_, rest) = page.split_once("data-state=\"").expect("a state");
    rest.split('"').next().expect("a name")
}

/// Opens the page of a host and sends its form for a bridge.
pub async fn buy(shop: &TestShop, host: &str, fields: &str) -> Answer {
    let path = format!("/shop/hosts/{}/", shop.host(host));
    let token = token_of(&shop.ask("GET", &path).send().await.text());
    shop.ask("POST", &path).form(&format!("product=tor_bridge&token={token}&{fields}")).send().await
}

/// A page of each kind; the last two are secrets.
async fn every_page(shop: &TestShop) -> Vec<String> {
    let (order, bridge) = shop.active_bridge("host1", None).await;
    let host = shop.host("host1");
    vec![
        "/".to_owned(),
        "/shop/hosts/".to_owned(),
        format!("/shop/hosts/{host}/"),
        "/status/".to_owned(),
        "/find/".to_owned(),
        format!("/charged/lnpurchase/po/{order}/"),
        format!("/bridge/{bridge}/"),
    ]
}

#[tokio::test]
async fn every_page_says_what_it_may_do_in_which_language_it_is_and_who_may_keep_it() {
    let shop = TestShop::new();
    for path in every_page(&shop).await {
        let answer = shop.ask("GET", &path).header("Accept-Language", "de-AT, en;q=0.5").send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-language"), "de", "{path}");
        assert!(answer.text().contains("<html lang=\"de\">"));
        assert_eq!(answer.header("vary"), "Accept-Encoding, Accept-Language, Cookie");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'") && !policy.contains("unsafe")
        );
        let is_secret = ["/charged/", "/bridge/", "/find/"].iter().any(|secret| path.starts_with(secret));
        assert_eq!(answer.header("cache-control"), if is_secret { "no-store" } else { "no-cache" }, "{path}");
        assert_eq!(answer.header("x-robots-tag") == "noindex", is_secret, "{path}");
        let head = shop.ask("HEAD", &path).header("Accept-Language", "de").send().await;
        assert!(head.status == 200 && head.body.is_empty() && !head.header("content-length").is_empty(), "{path}");
        let deleted = shop.ask("DELETE", &path).send().await;
        assert!(deleted.status == 405 && deleted.header("allow").starts_with("GET, HEAD"), "{path}");
        if let Some(bare) = path.strip_suffix('/').filter(|bare| !bare.is_empty()) {
            let bare = shop.ask("GET", bare).send().await;
            assert!(bare.status == 301 && bare.header("location") == path, "{path}");
        }
    }
}

#[tokio::test]
async fn a_language_that_was_chosen_stays_chosen() {
    let shop = TestShop::new();
    let chosen = shop.ask("GET", "/?lang=de").send().await;
    let cookie = chosen.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && chosen.header("content-language") == "de", "{cookie}");
    let pair = cookie.split(';').next().expect("a pair");
    let later = shop.ask("GET", "/status/").header("Cookie", pair).header("Accept-Language", "en").send().await;
    assert!(later.header("content-language") == "de" && later.header("set-cookie").is_empty());
    assert!(later.text().contains("href=\"?lang=en\""));
    let filtered = shop.ask("GET", "/shop/hosts/?is_testnet=false").send().await.text();
    assert!(filtered.contains("href=\"?is_testnet=false&#38;lang=de\""), "the choice of hosts stays");
}

#[tokio::test]
async fn pages_are_light_enough_for_tor() {
    let shop = TestShop::new();
    let pages = every_page(&shop).await;
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let weight = async |path: &str| {
        let answer = shop.ask("GET", path).header("Accept-Encoding", "gzip, deflate").send().await;
        assert!(answer.status == 200 && answer.header("content-encoding") == "gzip", "{path}");
        answer.body.len()
    };
    for path in pages.into_iter().chain([format!("/charged/lnpurchase/po/{order}/")]) {
        let size = weight(&path).await;
        assert!(size <= 12_000, "{path} is {size} bytes");
    }
    // With the codes that wallets ask for only there.
    let (owing, bridge) = shop.active_bridge("host1", None).await;
    shop.sql(&format!("UPDATE purchase_order SET owed = 700 WHERE id = x'{}'", owing.0.simple()));
    for path in [format!("/charged/lnpurchase/po/{owing}/"), format!("/bridge/{bridge}/")] {
        let answer = shop.ask("GET", &path).header("Host", ONION).header("Accept-Encoding", "gzip").send().await;
        let size = answer.body.len();
        assert!(answer.header("content-encoding") == "gzip" && size <= 12_000, "{path} is {size} bytes");
    }
    let front = shop.ask("GET", "/").send().await.text();
    let assets = front.split('"').filter(|part| part.starts_with("/assets/"));
    let mut first_visit = weight("/").await;
    for path in assets {
        let answer = shop.ask("GET", path).header("Accept-Encoding", "gzip").send().await;
        assert!(answer.status == 200 && answer.header("cache-control").contains("immutable"), "{path}");
        first_visit += answer.body.len();
    }
    assert!(first_visit <= 40_000, "{first_visit} bytes");
}

#[tokio::test]
async fn a_page_that_was_kept_is_what_it_would_be_if_it_were_made_anew() {
    let shop = TestShop::new();
    let mut seen = HashSet::new();
    let mut look = async |what: &str| {
        for path in ["/", "/shop/hosts/", "/?lang=de", "/shop/hosts/?offers_nostr_aliases=true"] {
            for language in ["en", "de"] {
                let ask = || shop.ask("GET", path).header("Accept-Language", language);
                // Nothing is kept for who takes no gzip.
                let made = ask().send().await.text();
                for _ in 0..2 {
                    let packed = ask().header("Accept-Encoding", "gzip").send().await;
                    assert_eq!(packed.header("content-encoding"), "gzip", "{what}: {path}");
                    let mut kept = String::new();
                    GzDecoder::new(packed.body.as_slice()).read_to_string(&mut kept).expect("gzip");
                    assert!(kept == made, "{what}, {path}, {language}: {kept}");
                }
                let head = shop.ask("HEAD", path).header("Accept-Encoding", "gzip").send().await;
                assert!(head.body.is_empty() && head.header("content-length") != "0", "{what}");
                if path == "/" && language == "en" {
                    assert!(seen.insert(made), "{what} is to be seen");
                }
            }
        }
    };
    look("at first").await;
    for change in [
        "UPDATE host SET tor_bridge_price_initial = 77000 WHERE name = 'host1'",
        "UPDATE host SET description = 'new' WHERE name = 'host1'",
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('site_name', 'Another name')",
        "UPDATE host SET is_enabled = 0 WHERE name = 'host1'",
        "UPDATE host SET is_enabled = 1, name = 'of another name' WHERE name = 'host1'",
        "UPDATE node SET is_alive = 0",
    ] {
        shop.sql(change);
        look(change).await;
    }
    shop.sql("UPDATE node SET is_alive = 1");
    shop.order_bridge("host1", None).await;
    shop.sql("UPDATE host SET ci_date = ci_date - 60000 WHERE name <> 'of another name'");
    look("a port less is free").await;
    shop.clock.advance_secs(ALIVE_SECS - 30);
    look("nothing was stored, and some are silent").await;
    shop.clock.advance_secs(60);
    look("nothing was stored, and all are silent").await;
}

#[tokio::test]
async fn what_people_and_hosts_write_is_never_markup() {
    let shop = TestShop::new();
    shop.sql(
        "UPDATE host SET name = '\"><i>''&lt;', description = '</p><script>alert(1)</script>', \
         terms_of_service = '<img src=x onerror=alert(1)>', terms_of_service_url = 'javascript:alert(1)'; \
         INSERT OR REPLACE INTO meta (key, value) VALUES ('site_name', '</title><script>alert(1)</script>')",
    );
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let (order, bridge) = shop.active_bridge("host1", Some("</dd><b onclick='x'>")).await;
    let host = format!("/shop/hosts/{}/", shop.host("host1"));
    let mut pages = Vec::new();
    for path in ["/", "/status/", "/nothing/<script>", &host, &format!("/shop/hosts/?x={hostile}&lang={hostile}")] {
        let path = path.replace('<', "%3C").replace('>', "%3E");
        pages.push(shop.ask("GET", &path).header("Accept", "text/html").send().await.text());
    }
    for path in [format!("/charged/lnpurchase/po/{order}/"), format!("/bridge/{bridge}/")] {
        pages.push(shop.ask("GET", &path).send().await.text());
    }
    pages.push(buy(&shop, "host1", &format!("target={hostile}&comment={hostile}")).await.text());
    pages.push(shop.ask("POST", "/find/").form(&format!("what={hostile}")).send().await.text());
    for page in pages {
        assert_eq!(page.matches("<script").count(), 1, "only our own: {page}");
        for markup in ["<i>", "<img src=x", "<b onclick", "href=\"javascript:"] {
            assert!(!page.contains(markup), "{markup}: {page}");
        }
    }
}

#[tokio::test]
async fn when_nothing_can_be_sold_the_reason_is_said() {
    let shop = TestShop::new();
    let front = async || shop.ask("GET", "/").send().await.text();
    assert!(!front().await.contains("note warn"));
    shop.sql("UPDATE node SET is_alive = 0");
    assert!(front().await.contains("Lightning node is offline"));
    shop.sql("UPDATE node SET is_alive = 1");
    shop.sql("UPDATE host SET ci_status = 1");
    assert!(front().await.contains("No host responds"));
    let path = format!("/shop/hosts/{}/", shop.host("host1"));
    assert!(shop.ask("GET", &path).send().await.text().contains("does not respond at the moment"));
    shop.sql("UPDATE host SET is_enabled = 0");
    assert!(front().await.contains("switched off"));
    assert_eq!(shop.ask("GET", &path).send().await.status, 404);
}

#[tokio::test]
async fn browsers_get_problems_as_pages_and_programs_as_before() {
    let shop = TestShop::new();
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = shop.ask("GET", "/nothing/").header("Accept", browser).header("Accept-Language", "de").send().await;
    assert!(page.status == 404 && page.text().contains("Hier ist nichts"));
    let program = shop.ask("GET", "/nothing/").header("Accept", "application/json").send().await;
    assert!(program.status == 404 && program.header("content-type").starts_with("text/html"), "as the contract has it");
    let order = "/api/v1/public/pos/123e4567-e89b-42d3-a456-426614174000/?format=json";
    let api = shop.ask("GET", order).header("Accept", browser).send().await;
    assert!(api.status == 404 && api.header("content-type") == "application/json", "{}", api.text());
    let two_hosts = shop.ask("GET", "/").header("Host", "a b").header("Accept", browser).send().await;
    assert!(two_hosts.status == 400 && two_hosts.text().contains("<html"));
    assert_eq!(shop.ask("POST", "/charged/lnpurchase/po/x/pay/").form("").send().await.status, 404, "only in the demo");
    let robots = shop.ask("GET", "/robots.txt").send().await.text();
    assert!(robots.contains("Disallow: /charged/") && robots.contains("Disallow: /bridge/"));
    assert_eq!(shop.ask("GET", "/favicon.ico").send().await.header("content-type"), "image/png");
}

#[tokio::test]
async fn the_script_asks_for_the_changing_part_alone() {
    let shop = TestShop::new();
    let answer = buy(&shop, "host1", &format!("target={ONION}%3A80&tos_accepted=true")).await;
    let page = shop.ask("GET", answer.header("location")).header("Accept-Language", "de").send().await.text();
    let (_, live) = page.split_once("data-live=\"").expect("where to ask");
    let part = shop.ask("GET", live.split('"').next().expect("a path")).send().await;
    assert!(part.text().trim().starts_with("<div data-state=\"making\"") && part.header("content-language") == "de");
    assert!(part.header("set-cookie").is_empty(), "nothing is chosen by it");
    assert!(page.contains(part.text().trim()), "it is the same");
}

/// Texts are escaped by the template's kind; what runs and what it looks like is in files, or the policy stops it.
#[test]
fn no_template_trusts_a_text_or_has_a_script_or_a_style_in_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("templates").flatten() {
        let (name, text) = (entry.file_name(), fs::read_to_string(entry.path()).expect("a template"));
        let squeezed: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert!(!squeezed.contains("|safe") && !squeezed.contains("escape"), "{name:?}");
        assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains("<script>"), "{name:?}");
        assert!(!text.contains(" onclick=") && !text.contains(" onload="), "{name:?}");
        assert!(Path::new(&name).extension().is_some_and(|kind| kind == "html"), "{name:?} would not be escaped");
        seen += 1;
    }
    assert!(seen > 5);
}
