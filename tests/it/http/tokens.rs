//! A host's token is replaced: the old one goes on to work until the new one was used.

use ip2tor_shop::domain::id::SystemRandom;
use ip2tor_shop::services::{Principal, hosts};

use crate::support::TestShop;

const LIST: &str = "/api/v1/tor_bridges/";

/// Replaces the token of a host; returns the value of `Authorization` with the new one.
async fn rotate(shop: &TestShop, host: &str, at_once: bool) -> String {
    let (host, by) = (shop.host(host), Principal::CommandLine(None));
    let token = shop.shop.tx(&by, move |tx| hosts::manage::rotate_token(tx, &SystemRandom, host, at_once));
    format!("Token {}", token.await.expect("a new token"))
}

/// What a host's script is answered that asks for its list with this token.
async fn status(shop: &TestShop, token: &str) -> u16 {
    shop.ask("GET", LIST).header("Authorization", token).send().await.status.as_u16()
}

#[tokio::test]
async fn a_replaced_token_works_until_the_new_one_was_used() {
    let shop = TestShop::new();
    let old = shop.token("host1");
    let new = rotate(&shop, "host1", false).await;
    for _ in 0..2 {
        assert_eq!(status(&shop, &old).await, 200, "its script has not heard of the new one yet");
    }
    assert_eq!(status(&shop, &new).await, 200);
    assert_eq!(status(&shop, &old).await, 401, "the new one was used");
    assert_eq!(status(&shop, &new).await, 200);
}

#[tokio::test]
async fn a_replaced_token_works_for_a_day_at_most() {
    let shop = TestShop::new();
    let (old, new) = (shop.token("host1"), rotate(&shop, "host1", false).await);
    shop.clock.advance_secs(86_399);
    assert_eq!(status(&shop, &old).await, 200);
    shop.clock.advance_secs(2);
    assert_eq!(status(&shop, &old).await, 401);
    assert_eq!(status(&shop, &new).await, 200);
}

#[tokio::test]
async fn a_token_that_is_replaced_at_once_works_no_more() {
    let shop = TestShop::new();
    let (old, new) = (shop.token("host1"), rotate(&shop, "host1", true).await);
    assert_eq!((status(&shop, &old).await, status(&shop, &new).await), (401, 200));
}

#[tokio::test]
async fn a_new_token_that_is_replaced_before_it_was_used_works_on_as_well_since_it_may_be_installed() {
    let shop = TestShop::new();
    let old = shop.token("host1");
    let (unused, new) = (rotate(&shop, "host1", false).await, rotate(&shop, "host1", false).await);
    assert_eq!((status(&shop, &old).await, status(&shop, &unused).await, status(&shop, &old).await), (200, 200, 200));
    assert_eq!((status(&shop, &new).await, status(&shop, &old).await, status(&shop, &unused).await), (200, 401, 401));
}
