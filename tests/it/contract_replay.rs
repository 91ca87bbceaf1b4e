//! The recorded contract: every exchange with the predecessor is made again, with the state that it
//! needs built for it, and the answer must match, modulo ids, dates and wording. What differs on
//! purpose stands in `replay/deviations.rs` with its reason.

use crate::replay::compare::mismatch;
use crate::replay::deviations::DEVIATIONS;
use crate::replay::exchange::{Exchange, all};
use crate::replay::scenario::prepare;
use crate::support::TestShop;
use crate::support::request::Answer;

async fn answer(exchange: &Exchange) -> (Exchange, Answer) {
    let shop = TestShop::new();
    let known = prepare(&shop, exchange).await;
    let exchange = exchange.with(&known);
    let mut ask = shop.ask(&exchange.method, &exchange.path);
    for (name, value) in &exchange.headers {
        ask = ask.header(name, value.clone());
    }
    let answer = ask.bytes(exchange.body.clone()).send().await;
    (exchange, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_exchange_matches_or_differs_for_a_stated_reason() {
    let (mut wrong, mut needless) = (Vec::new(), Vec::new());
    let exchanges = all();
    assert!(exchanges.len() > 300, "the fixture is complete");
    for exchange in &exchanges {
        let (exchange, answer) = answer(exchange).await;
        let deviation = DEVIATIONS.iter().find(|deviation| deviation.exchange == exchange.name);
        let found = mismatch(&exchange, &answer);
        match (deviation, found) {
            (None, None) => {}
            (None, Some(why)) => wrong.push(format!("{}: {why}", exchange.name)),
            (Some(_), None) => needless.push(exchange.name.clone()),
            (Some(deviation), Some(_)) if deviation.status == answer.status.as_u16() => {}
            (Some(deviation), Some(_)) => {
                wrong.push(format!("{}: {} instead of {}", exchange.name, answer.status, deviation.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{} exchanges differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(needless.is_empty(), "these match, so they are no deviations: {needless:?}");
}

#[test]
fn every_deviation_belongs_to_a_recorded_exchange() {
    let names: Vec<_> = all().into_iter().map(|exchange| exchange.name).collect();
    for deviation in DEVIATIONS {
        assert!(names.contains(&deviation.exchange.to_owned()), "{}", deviation.exchange);
        assert!(!deviation.reason.is_empty());
    }
}
