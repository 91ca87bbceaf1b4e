//! `/metrics`: what programs read, and who may.

use ip2tor_shop::domain::account::Scope;
use ip2tor_shop::domain::id::SystemRandom;
use ip2tor_shop::http::Surface;
use ip2tor_shop::services::Principal;
use ip2tor_shop::services::operators::api_tokens;
use poem::Addr;

use crate::support::TestShop;

fn local() -> Addr {
    Addr::SocketAddr("127.0.0.1:50000".parse().expect("an address"))
}

#[tokio::test]
async fn strangers_find_no_figures_and_programs_on_this_machine_do() {
    let shop = TestShop::new();
    assert_eq!(shop.ask("GET", "/metrics").send().await.status, 404);
    assert_eq!(shop.ask("GET", "/metrics").from(local()).send().await.status, 404, "not on the public listener");
    let there = || shop.ask("GET", "/metrics").on(Surface::Admin);
    assert_eq!(there().send().await.status, 401, "from another machine");
    assert_eq!(there().from(local()).send().await.status, 401, "a web site that leads to this machine");
    let answer = there().from(local()).header("Host", "127.0.0.1:8001").send().await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).expect("text");
    for line in ["ip2tor_hosts ", "ip2tor_lightning_nodes_alive ", "ip2tor_database_writable 1", "ip2tor_sold_total 0"]
    {
        assert!(text.contains(&format!("\n{line}")), "{line} in {text}");
    }
    assert!(text.contains("ip2tor_http_responses_total{class=\"4xx\"} 4"), "{text}");
    for (id, _) in shop.hosts.values() {
        assert!(!text.contains(&id.to_string()), "an id in {text}");
    }
}

#[tokio::test]
async fn a_token_of_an_administrator_reads_the_figures_anywhere_and_nobody_elses() {
    let shop = TestShop::new();
    for (name, status) in [("admin", 200), ("operator", 404)] {
        let by = Principal::CommandLine(None);
        let owner = shop.shop.db.read(|db| ip2tor_shop::store::operators::by_name(db, name)).expect("read");
        let owner = owner.expect("an operator");
        let made = shop
            .shop
            .tx(&by, move |tx| api_tokens::make(tx, &SystemRandom, owner.id, ("prometheus", Scope::Read), 30))
            .await
            .expect("a token");
        let bearer = format!("Bearer {}", made.1);
        assert_eq!(shop.ask("GET", "/metrics").header("Authorization", bearer).send().await.status, status, "{name}");
    }
    let wrong = shop.ask("GET", "/metrics").header("Authorization", "Bearer nothing").send().await;
    assert_eq!(wrong.status, 404);
}
