//! Who sees and may change what, asked of the use cases as any caller of theirs has to, and how the change log names
//! who acted.

use ip2tor_shop::domain::deny_list::DenyStatus;
use ip2tor_shop::domain::id::{OperatorId, OrderId, ProductId};
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::payments::refunds::{self, Stated};
use ip2tor_shop::services::products::operate::{Operation, OperatorAction, operate};
use ip2tor_shop::services::{Error, Principal, deny_list, doctor, operator_queries, payments};
use ip2tor_shop::store::audit_log;
use ip2tor_shop::store::deals::Search;
use ip2tor_shop::store::products::Filter;

use crate::support::TestShop;

/// Whose all hosts of the test shop are.
const OWNER: OperatorId = OperatorId(2);

fn operator(id: OperatorId) -> Principal {
    Principal::Operator(id, "somebody".to_owned())
}

fn log_of(shop: &TestShop, product: ProductId) -> Vec<(String, String)> {
    let log = shop.shop.db.read(|db| audit_log::of_product(db, product)).expect("the log");
    log.into_iter().map(|entry| (entry.actor, entry.change)).collect()
}

#[tokio::test]
async fn an_operators_action_is_stored_with_its_reason_and_under_the_one_name_of_who_acted() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let by = Principal::CommandLine(Some("pi".to_owned()));
    let because =
        |action| Operation { action, reason: Some("abuse".to_owned()), denies_target: action == OperatorAction::Kill };
    let before = log_of(&shop, bridge).len();

    let refused = operate(&shop.shop, &by, bridge, because(OperatorAction::Release)).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(log_of(&shop, bridge).len(), before, "without the action there is no reason");

    let killed = operate(&shop.shop, &by, bridge, because(OperatorAction::Kill)).await.expect("switched off");
    assert_eq!(killed.status, ProductStatus::NeedsSuspend);
    let log = log_of(&shop, bridge).split_off(before);
    let names: Vec<_> = log.iter().map(|(actor, _)| actor.as_str()).collect();
    assert_eq!(names, ["cli:pi", "cli:pi"]);
    assert!(log[0].1.contains("switched off") && log[1].1 == "reason: abuse", "{log:?}");
    let denied = shop.shop.read(&by, deny_list::list).expect("the list");
    assert!(denied.len() == 1 && denied[0].status == DenyStatus::Denied && denied[0].comment == "abuse", "{denied:?}");
}

#[tokio::test]
async fn operators_see_and_change_what_is_sold_on_their_own_hosts_and_nothing_else() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", None).await;
    for (who, sees) in [
        (Principal::CommandLine(None), true),
        (Principal::Administrator("root".to_owned()), true),
        (operator(OWNER), true),
        (operator(OperatorId(1)), false),
    ] {
        assert_eq!(operator_queries::order(&shop.shop, &who, order).is_ok(), sees, "{who:?}");
        assert_eq!(operator_queries::product(&shop.shop, &who, bridge).is_ok(), sees, "{who:?}");
        let search = Search { limit: 9, ..Search::default() };
        assert_eq!(operator_queries::orders(&shop.shop, &who, search).expect("a list").is_empty(), !sees, "{who:?}");
        let found = operator_queries::products(&shop.shop, &who, Filter::default(), 9).expect("a list");
        assert_eq!(found.is_empty(), !sees, "{who:?}");
        assert_eq!(refunds::open_of(&shop.shop, &who, order).is_ok(), sees, "{who:?}");
        // Nothing is owed, which nobody else is told.
        let settled = payments::apply::mark_refunded(&shop.shop, order, &who, "by hand").await;
        assert_eq!(matches!(settled, Err(Error::Conflict(_))), sees, "{settled:?}");
    }
    for who in [operator(OperatorId(1)), Principal::Host(shop.host("host1")), Principal::Buyer] {
        assert!(refused_all(&shop, &who, order, bridge).await, "{who:?}");
    }
    let all = |who: &Principal| shop.shop.read(who, |tx| doctor::examine(tx, &shop.shop.settings)).is_ok();
    assert!(all(&Principal::CommandLine(None)) && !all(&operator(OWNER)), "the whole shop is the administrators'");
}

/// Whether nothing that changes a product or an order of somebody else's host is done, nor told why.
async fn refused_all(shop: &TestShop, who: &Principal, order: OrderId, bridge: ProductId) -> bool {
    let shop = &shop.shop;
    operate(shop, who, bridge, OperatorAction::Kill).await.err() == Some(Error::NotFound)
        && payments::apply::mark_refunded(shop, order, who, "").await.err() == Some(Error::NotFound)
        && payments::apply::retry_delivery(shop, order, who).await.err() == Some(Error::NotFound)
        && refunds::state_outcome(shop, order, Stated::Paid, who, "").await.err() == Some(Error::NotFound)
}
