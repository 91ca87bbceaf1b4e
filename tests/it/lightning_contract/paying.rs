//! Payments from a node, for refunds.

use ip2tor_lnd_simulator::Fault;
use ip2tor_shop::domain::lightning::{Network, NodeErrorKind, PaymentState};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::lightning::paying::{PayingNode, PaymentCredentials};
use ip2tor_shop::lightning::policy::Policy;

use super::world::{Kind, PRICE, World, only, plain, soon};

const NO_FEE: Msat = Msat(0);

fn payer_with(world: &World, macaroon: &str, policy: Policy) -> Box<dyn PayingNode> {
    let credentials = world.credentials(macaroon);
    let credentials = PaymentCredentials { certificate: credentials.certificate, macaroon: credentials.macaroon };
    world.payer(credentials, policy)
}

fn payer(world: &World) -> Box<dyn PayingNode> {
    payer_with(world, "admin.macaroon", Policy::default())
}

/// A buyer's node with an invoice; a direct peer of the shop's node when `connected`, else reached for a fee.
async fn buyer(world: &World, connected: bool) -> (World, String) {
    let buyer = World::new(Kind::LndGrpc).await;
    let (own, other) = (world.simulator().node(), buyer.simulator().node());
    if connected {
        own.connect(other);
    } else {
        own.connect_by_way(other);
    }
    let request = buyer.node().create(&plain(1)).await.unwrap().payment_request;
    (buyer, request)
}

async fn received(buyer: &World) -> Msat {
    buyer.node().look_up(plain(1).hash).await.unwrap().unwrap().received
}

pub async fn a_refund_reaches_the_buyer_once(world: World) {
    let (buyer, request) = buyer(&world, true).await;
    let payer = payer(&world);
    assert_eq!(payer.track(plain(1).hash).await.unwrap(), PaymentState::Unknown);
    let paid = PaymentState::Succeeded { fee: NO_FEE };
    assert_eq!(soon(payer.pay(&request, NO_FEE, None)).await.unwrap(), paid);
    assert_eq!(soon(payer.pay(&request, NO_FEE, None)).await.unwrap(), paid);
    assert_eq!(payer.track(plain(1).hash).await.unwrap(), paid);
    assert_eq!(received(&buyer).await, PRICE);
}

pub async fn the_fee_limit_is_kept(world: World) {
    let (_buyer, request) = buyer(&world, false).await;
    let payer = payer(&world);
    let refused = soon(payer.pay(&request, NO_FEE, None)).await.unwrap();
    assert!(matches!(&refused, PaymentState::Failed { reason } if reason.contains("fee limit")), "{refused:?}");
    // Core Lightning keeps no record of what it never sent.
    let tracked = payer.track(plain(1).hash).await.unwrap();
    assert!(tracked == refused || tracked == PaymentState::Unknown, "{tracked:?}");
    let paid = soon(payer.pay(&request, PRICE, None)).await.unwrap();
    assert!(matches!(paid, PaymentState::Succeeded { fee } if fee > NO_FEE && fee <= PRICE), "{paid:?}");
}

pub async fn a_payment_whose_answer_is_lost_can_be_tracked(world: World) {
    let (buyer, request) = buyer(&world, true).await;
    let payer = payer(&world);
    world.simulator().faults().next(world.pays(), Fault::ResetAfter, 1);
    let error = soon(payer.pay(&request, NO_FEE, None)).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    soon(async { while payer.track(plain(1).hash).await.unwrap() != (PaymentState::Succeeded { fee: NO_FEE }) {} })
        .await;
    assert_eq!(received(&buyer).await, PRICE);
}

pub async fn the_amount_is_said_exactly_once(world: World) {
    let (_buyer, request) = buyer(&world, true).await;
    let payer = payer(&world);
    let error = payer.pay(&request, NO_FEE, Some(PRICE)).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::Rejected);
    assert_eq!(payer.track(plain(1).hash).await.unwrap(), PaymentState::Unknown);
}

pub async fn a_payment_on_another_network_is_not_tried(world: World) {
    let (_buyer, request) = buyer(&world, true).await;
    let payer = payer_with(&world, "admin.macaroon", only(Network::Mainnet));
    assert_eq!(payer.pay(&request, NO_FEE, None).await.unwrap_err().kind, NodeErrorKind::WrongNetwork);
}

pub async fn the_macaroon_for_invoices_cannot_pay(world: World) {
    let (_buyer, request) = buyer(&world, true).await;
    let payer = payer_with(&world, "shop.macaroon", Policy::default());
    let error = soon(payer.pay(&request, NO_FEE, None)).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::WrongMacaroon);
}
