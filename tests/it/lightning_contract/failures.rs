//! Nodes that fail: before a call, after it, in its middle, and coming back.

use std::time::Duration;

use ip2tor_lnd_simulator::{Fault, Wallet};
use ip2tor_shop::domain::lightning::{CancelOutcome, NodeError, NodeErrorKind, SettleOutcome};
use ip2tor_shop::lightning::LightningNode;

use super::world::{World, hasty, hold, next, plain, preimage, soon};

pub async fn a_lost_answer_leaves_one_invoice(world: World) {
    let node = world.node();
    world.simulator().faults().next(world.makes(), Fault::LoseAnswer, 1);
    let error = node.create(&plain(1)).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    let found = node.look_up(plain(1).hash).await.unwrap().unwrap();
    assert_eq!(node.create(&plain(1)).await.unwrap().payment_request, found.payment_request);
    assert_eq!(node.open_invoices(0, 10).await.unwrap().invoices.len(), 1);
}

pub async fn an_answer_lost_with_its_connection_is_uncertain(world: World) {
    let node = world.node();
    world.simulator().faults().next(world.makes(), Fault::ResetAfter, 1);
    let error = node.create(&plain(1)).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    node.create(&plain(1)).await.unwrap();
    assert_eq!(node.open_invoices(0, 10).await.unwrap().invoices.len(), 1);
}

pub async fn an_unavailable_node_is_an_outage(world: World) {
    let node = world.node();
    world.simulator().faults().next(world.makes(), Fault::Unavailable, 1);
    assert_eq!(node.create(&plain(1)).await.unwrap_err().kind, NodeErrorKind::Unavailable);
    node.create(&plain(1)).await.unwrap();
}

pub async fn a_slow_node_times_out_and_recovers(world: World) {
    let node = world.node_with(world.credentials("shop.macaroon"), hasty());
    let slow = Fault::Slow(Duration::from_secs(60));
    world.simulator().faults().always(world.looks_up(), slow);
    let error = soon(node.look_up(plain(1).hash)).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::TimedOut);
    assert!(error.detail.starts_with("time-out:"), "{error}");
    world.simulator().faults().clear();
    assert_eq!(node.look_up(plain(1).hash).await.unwrap(), None);
}

pub async fn cut_connections_are_made_anew(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    next(&mut stream).await.unwrap().unwrap();
    world.simulator().faults().drop_connections();
    // The stream tells when the cut has been noticed.
    let error = next(&mut stream).await.unwrap().unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::Unavailable, "{error}");
    assert!(node.look_up(plain(1).hash).await.unwrap().is_some());
}

/// A node that was restarted, or a router that has forgotten it, leaves connections that nobody knows to be dead.
pub async fn what_only_asks_is_asked_again_when_its_connection_had_died_unnoticed(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    let die = || world.simulator().faults().let_connections_die();
    die();
    assert!(node.look_up(plain(1).hash).await.unwrap().is_some());
    die();
    assert_eq!(node.open_invoices(0, 10).await.unwrap().invoices.len(), 1);
    die();
    node.info().await.unwrap();
    die();
    drop(node.settlements(0).await.unwrap());
}

/// Who made it has to know that it may have been done.
pub async fn what_changes_something_is_made_once_when_its_connection_breaks(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    world.simulator().faults().next(world.makes(), Fault::ResetAfter, 1);
    let error = node.create(&plain(2)).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert!(node.look_up(plain(2).hash).await.unwrap().is_some());
}

pub async fn a_restarted_node_is_found_again(mut world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    world.stop().await;
    assert!(node.look_up(plain(1).hash).await.is_err());
    world.start().await;
    assert!(node.look_up(plain(1).hash).await.unwrap().is_some());
}

pub async fn a_stopped_node_is_refused(mut world: World) {
    world.stop().await;
    let error = world.node().create(&plain(1)).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::Refused);
    assert!(!error.may_have_happened());
}

/// Whatever is asked, and in whatever words it is refused meanwhile: it works a moment later.
pub async fn a_node_that_starts_is_an_outage(world: World) {
    let node = world.node();
    for wallet in Wallet::NOT_YET {
        world.simulator().faults().set_wallet(wallet);
        for error in [
            node.create(&plain(1)).await.unwrap_err(),
            node.look_up(plain(1).hash).await.unwrap_err(),
            node.cancel(plain(1).hash).await.unwrap_err(),
            node.info().await.unwrap_err(),
            node.open_invoices(0, 10).await.unwrap_err(),
            first_error(&*node).await,
        ] {
            assert_eq!(error.kind, NodeErrorKind::Unavailable, "{wallet:?}: {error}");
            assert!(!error.detail.contains("macaroon of this"), "{wallet:?}: {error}");
        }
    }
    world.simulator().faults().set_wallet(Wallet::Unlocked);
    node.create(&plain(1)).await.unwrap();
}

/// Of the stream of settlements.
async fn first_error(node: &dyn LightningNode) -> NodeError {
    match node.settlements(0).await {
        Err(error) => error,
        Ok(mut stream) => next(&mut stream).await.unwrap().unwrap_err(),
    }
}

pub async fn a_locked_wallet_is_told_as_that(world: World) {
    world.simulator().faults().set_wallet(Wallet::Locked);
    let error = world.node().create(&plain(1)).await.unwrap_err();
    assert!(error.detail.contains("unlock"), "{error}");
}

/// LND's GetInfo waits for the chain; what is about invoices does not.
pub async fn held_payments_are_taken_and_given_back_while_the_chain_backend_hangs(world: World) {
    let node = world.node_with(world.credentials("shop.macaroon"), hasty());
    for number in [1, 2] {
        node.create(&hold(number)).await.unwrap();
        world.pay(hold(number).hash);
    }
    world.simulator().faults().set_chain_hangs(true);
    assert_eq!(soon(node.info()).await.unwrap_err().kind, NodeErrorKind::TimedOut);
    assert_eq!(node.settle(preimage(1)).await.unwrap(), SettleOutcome::Settled);
    assert_eq!(node.cancel(hold(2).hash).await.unwrap(), CancelOutcome::Cancelled);
    node.create(&plain(3)).await.unwrap();
    world.simulator().faults().set_chain_hangs(false);
    node.info().await.unwrap();
}
