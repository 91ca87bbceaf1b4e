//! What a macaroon or a node's build leaves out is noticed before it is needed, and nothing is asked in vain.

use std::sync::Arc;

use futures_util::StreamExt;
use ip2tor_shop::domain::clocks;
use ip2tor_shop::domain::lightning::{CancelOutcome, NodeErrorKind};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::time::Clock;
use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::check::{check, sample};
use ip2tor_shop::lightning::credentials::{Credentials, Source};
use ip2tor_shop::lightning::policy::Policy;

use super::world::{World, hold, plain, preimage};

const ALL_CALLS: [&str; 8] = [
    "/lnrpc.Lightning/AddInvoice",
    "/lnrpc.Lightning/LookupInvoice",
    "/lnrpc.Lightning/ListInvoices",
    "/lnrpc.Lightning/SubscribeInvoices",
    "/invoicesrpc.Invoices/CancelInvoice",
    "/invoicesrpc.Invoices/AddHoldInvoice",
    "/invoicesrpc.Invoices/SettleInvoice",
    "/invoicesrpc.Invoices/SubscribeSingleInvoice",
];

/// A node with a macaroon for single calls, of which those are left out that contain one of `without`.
fn with_calls(world: &World, without: &[&str]) -> Arc<dyn LightningNode> {
    let calls = ALL_CALLS.into_iter().filter(|call| !without.iter().any(|part| call.contains(part)));
    let permissions: Vec<_> = calls.map(|call| ("uri", call)).collect();
    let macaroon = Source::Memory(world.simulator().bake(&permissions));
    world.node_with(Credentials { macaroon, ..world.credentials("shop.macaroon") }, Policy::default())
}

fn denied(world: &World) -> Vec<String> {
    world.simulator().node().denied_calls()
}

pub async fn nothing_is_asked_that_the_macaroon_does_not_permit(world: World) {
    let stock = world.credentials("invoice.macaroon");
    let readonly = Some(Source::File(world.file("readonly.macaroon")));
    let nodes = [
        world.node(),
        world.node_with(stock.clone(), Policy::default()),
        world.node_with(Credentials { details_macaroon: readonly, ..stock }, Policy::default()),
        world.node_with(world.credentials("readonly.macaroon"), Policy::default()),
        with_calls(&world, &[]),
        with_calls(&world, &["Hold"]),
        with_calls(&world, &["Cancel"]),
        with_calls(&world, &["List"]),
        with_calls(&world, &["Single", "Settle"]),
        with_calls(&world, &["SubscribeInvoices", "Lookup"]),
    ];
    for (number, node) in (1..).step_by(2).zip(&nodes) {
        for _ in 0..2 {
            node.info().await.unwrap();
            let _ = node.create(&plain(number)).await;
            let _ = node.create(&hold(number + 1)).await;
        }
        let _ = node.look_up(plain(number).hash).await;
        drop(node.watch(hold(number + 1).hash).await.map(StreamExt::boxed));
        let _ = node.settle(preimage(number + 1)).await;
        let _ = node.cancel(plain(number).hash).await;
        let _ = node.open_invoices(0, 10).await;
        drop(node.settlements(0).await);
    }
    assert_eq!(denied(&world), Vec::<String>::new());
}

pub async fn who_cannot_cancel_makes_no_invoice(world: World) {
    for missing in ["Cancel", "Lookup", "List", "SubscribeInvoices"] {
        let node = with_calls(&world, &[missing]);
        let checked = check(&*node, None, None).await;
        let problem = checked.problem.unwrap();
        assert_eq!(problem.kind, NodeErrorKind::WrongMacaroon);
        assert!(problem.detail.contains(missing) && problem.detail.contains("bakemacaroon"), "{problem}");
        for request in [plain(1), hold(2)] {
            assert_eq!(node.create(&request).await.unwrap_err().kind, NodeErrorKind::WrongMacaroon);
            assert!(!world.simulator().node().knows(request.hash));
        }
    }
    assert_eq!(denied(&world), Vec::<String>::new());
}

pub async fn who_may_not_hold_makes_plain_invoices(world: World) {
    for (number, missing) in [(1, "Hold"), (3, "Settle"), (5, "Single")] {
        let node = with_calls(&world, &[missing]);
        let checked = check(&*node, None, None).await;
        let line = checked.line();
        assert!(checked.problem.is_none() && line.contains("plain invoices only") && line.contains(missing), "{line}");
        node.create(&plain(number)).await.unwrap();
        let error = node.create(&hold(number + 1)).await.unwrap_err();
        assert_eq!(error.kind, NodeErrorKind::WrongMacaroon);
        assert!(!error.may_have_happened() && !world.simulator().node().knows(hold(number + 1).hash));
    }
}

pub async fn a_node_without_the_service_for_cancelling_makes_no_invoice(world: World) {
    world.simulator().faults().leave_out("/invoicesrpc.");
    let node = world.node();
    for _ in 0..2 {
        let problem = check(&*node, None, None).await.problem.unwrap();
        assert_eq!(problem.kind, NodeErrorKind::NotServed);
        assert!(problem.detail.contains("invoicesrpc"), "{problem}");
    }
    assert_eq!(node.create(&plain(1)).await.unwrap_err().kind, NodeErrorKind::NotServed);
    assert!(!world.simulator().node().knows(plain(1).hash));
    // After an upgrade nothing has to be done.
    world.simulator().faults().clear();
    assert!(check(&*node, None, None).await.problem.is_none());
    node.create(&hold(1)).await.unwrap();
}

pub async fn a_node_without_the_call_for_holding_makes_plain_invoices(world: World) {
    for missing in ["AddHoldInvoice", "SettleInvoice"] {
        world.simulator().faults().clear();
        world.simulator().faults().leave_out(&format!("/invoicesrpc.Invoices/{missing}"));
        let node = world.node();
        let info = node.info().await.unwrap();
        assert!(info.lacks.is_none() && info.cannot_hold.is_some(), "{info:?}");
        node.create(&plain(1)).await.unwrap();
        assert_eq!(node.create(&hold(2)).await.unwrap_err().kind, NodeErrorKind::NotServed);
        assert_eq!(node.cancel(plain(1).hash).await.unwrap(), CancelOutcome::Cancelled);
    }
}

pub async fn a_service_that_went_missing_is_noticed(world: World) {
    let node = world.node();
    assert!(node.info().await.unwrap().cannot_hold.is_none());
    world.simulator().faults().leave_out("/invoicesrpc.");
    assert_eq!(node.create(&hold(1)).await.unwrap_err().kind, NodeErrorKind::NotServed);
    assert!(node.info().await.unwrap().lacks.is_some());
}

pub async fn a_lesser_macaroon_still_follows_what_was_sold(world: World) {
    let hash = world.sell(&*world.node(), 1).await;
    let node = world.node_with(world.credentials("readonly.macaroon"), Policy::default());
    assert!(node.info().await.unwrap().lacks.is_some());
    assert!(node.look_up(hash).await.unwrap().is_some());
    assert_eq!(node.create(&plain(2)).await.unwrap_err().kind, NodeErrorKind::WrongMacaroon);
}

pub async fn channels_without_their_peers_receive_nothing(world: World) {
    let readonly = Some(Source::File(world.file("readonly.macaroon")));
    let credentials = Credentials { details_macaroon: readonly, ..world.credentials("invoice.macaroon") };
    let node = world.node_with(credentials, Policy::default());
    let usable = || async {
        let info = node.info().await.unwrap();
        assert_eq!(info.outbound.is_some(), info.inbound.is_some());
        (info.active_channels, info.inbound.map(|inbound| inbound > Msat(0)))
    };
    assert_eq!(usable().await, (Some(1), Some(true)));
    world.simulator().faults().set_peers_gone(true);
    assert_eq!(usable().await, (Some(0), Some(false)));
}

pub async fn a_sample_tells_the_nodes_time_and_is_gone(world: World) {
    let node = world.node();
    for ahead in [0, 4000, -4000] {
        world.simulator().node().set_clock_ahead(ahead);
        let preimage = preimage(u8::try_from(ahead / 2000 + 10).unwrap());
        let asked_at = world.clock.now();
        let made = sample(&*node, preimage).await.unwrap();
        assert_eq!(clocks::ahead_secs(made.created_at, asked_at, world.clock.now()), ahead);
        assert!(world.refuses_payment(preimage.hash()));
    }
}
