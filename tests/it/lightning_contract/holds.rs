//! Hold invoices, for nodes that can hold.

use ip2tor_shop::domain::lightning::{CancelOutcome, InvoiceRequest, NodeErrorKind, NodeInvoiceState, SettleOutcome};
use ip2tor_shop::lightning::{InvoiceStream, LightningNode};

use super::world::{PRICE, World, hold, next, plain, preimage};

async fn state(stream: &mut InvoiceStream) -> NodeInvoiceState {
    next(stream).await.unwrap().unwrap().state
}

async fn held(world: &World, node: &dyn LightningNode, request: &InvoiceRequest) {
    node.create(request).await.unwrap();
    world.pay(request.hash);
}

pub async fn a_held_payment_is_taken_with_the_preimage(world: World) {
    let node = world.node();
    assert!(node.can_hold());
    let made = node.create(&hold(1)).await.unwrap();
    assert_eq!(node.create(&hold(1)).await.unwrap(), made);
    let mut stream = node.watch(hold(1).hash).await.unwrap();
    assert_eq!(state(&mut stream).await, NodeInvoiceState::Open);
    world.pay(hold(1).hash);
    let accepted = next(&mut stream).await.unwrap().unwrap();
    assert_eq!((accepted.state, accepted.received), (NodeInvoiceState::Accepted, PRICE));
    assert_eq!(accepted.settle_index, 0);
    assert_eq!(node.open_invoices(world.beginning(), 10).await.unwrap().invoices[0].state, NodeInvoiceState::Accepted);
    assert_eq!(node.settle(preimage(1)).await.unwrap(), SettleOutcome::Settled);
    assert_eq!(state(&mut stream).await, NodeInvoiceState::Settled);
    assert_eq!(node.settle(preimage(1)).await.unwrap(), SettleOutcome::Settled);
    assert_eq!(node.cancel(hold(1).hash).await.unwrap(), CancelOutcome::AlreadySettled);
}

/// LND is silent on accepted invoices here: the first that is told is the settlement.
pub async fn a_held_payment_is_not_among_the_settlements(world: World) {
    let node = world.node();
    let first = world.sell(&*node, 9).await;
    let cursor = node.look_up(first).await.unwrap().unwrap().settle_index;
    let mut stream = node.settlements(cursor).await.unwrap();
    held(&world, &*node, &hold(1)).await;
    assert_eq!(node.look_up(hold(1).hash).await.unwrap().unwrap().state, NodeInvoiceState::Accepted);
    node.settle(preimage(1)).await.unwrap();
    let told = next(&mut stream).await.unwrap().unwrap();
    assert_eq!((told.hash, told.state), (hold(1).hash, NodeInvoiceState::Settled));
}

pub async fn a_held_payment_can_be_given_back(world: World) {
    let node = world.node();
    held(&world, &*node, &hold(1)).await;
    assert_eq!(node.cancel(hold(1).hash).await.unwrap(), CancelOutcome::Cancelled);
    assert_eq!(node.look_up(hold(1).hash).await.unwrap().unwrap().state, NodeInvoiceState::Canceled);
    assert_eq!(node.settle(preimage(1)).await.unwrap(), SettleOutcome::AlreadyCanceled);
}

pub async fn what_is_not_held_cannot_be_taken(world: World) {
    let node = world.node();
    assert_eq!(node.settle(preimage(1)).await.unwrap(), SettleOutcome::Unknown);
    node.create(&hold(1)).await.unwrap();
    assert_eq!(node.settle(preimage(1)).await.unwrap_err().kind, NodeErrorKind::Rejected);
    assert_eq!(node.look_up(hold(1).hash).await.unwrap().unwrap().state, NodeInvoiceState::Open);
}

pub async fn the_nearest_expiry_of_the_held_parts_is_known(world: World) {
    let node = world.node();
    node.create(&hold(1)).await.unwrap();
    let simulated = world.simulator().node();
    simulated.arrive(hold(1).hash, &[PRICE.0 / 2], PRICE.0).unwrap();
    let early = node.look_up(hold(1).hash).await.unwrap().unwrap();
    let height = node.info().await.unwrap().block_height.unwrap();
    simulated.set_height(height + 10).unwrap();
    simulated.arrive(hold(1).hash, &[PRICE.0 - PRICE.0 / 2], PRICE.0).unwrap();
    let both = node.look_up(hold(1).hash).await.unwrap().unwrap();
    assert_eq!((early.state, both.state), (NodeInvoiceState::Open, NodeInvoiceState::Accepted));
    assert_eq!(both.received, PRICE);
    assert!(both.nearest_htlc_expiry.unwrap() >= height + 144);
    assert_eq!(both.nearest_htlc_expiry, early.nearest_htlc_expiry);
}

/// For nodes that can't hold.
pub async fn holding_is_refused_clearly(world: World) {
    let node = world.node();
    assert!(!node.can_hold());
    assert_eq!(node.create(&hold(1)).await.unwrap_err().kind, NodeErrorKind::Rejected);
    assert_eq!(node.settle(preimage(1)).await.unwrap_err().kind, NodeErrorKind::Rejected);
    assert_eq!(node.look_up(plain(1).hash).await.unwrap(), None);
}
