//! `node check`: one line for each thing that can be wrong.

use ip2tor_shop::domain::lightning::{Network, NodeErrorKind};
use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::check::{NodeCheck, check};
use ip2tor_shop::lightning::credentials::{Credentials, Source};
use ip2tor_shop::lightning::policy::Policy;

use super::world::{World, hasty, soon};

/// A payment request of mainnet; only its prefix matters here.
const MAINNET_REQUEST: &str = "lnbc250u1pjqqqqq";

fn expect(checked: &NodeCheck, kind: Option<NodeErrorKind>, beginning: &str) {
    let line = checked.line();
    assert_eq!(checked.problem.as_ref().map(|problem| problem.kind), kind, "{line}");
    assert!(line.starts_with(beginning) && !line.contains('\n'), "{line}");
}

async fn checked(node: &dyn LightningNode) -> NodeCheck {
    soon(check(node, Some(Network::Regtest), None)).await
}

pub async fn a_good_node_says_what_it_is(world: World) {
    let checked = checked(&*world.node()).await;
    expect(&checked, None, &format!("ok: {}, ", world.alias()));
    assert!(checked.line().contains("on regtest, block "), "{}", checked.line());
}

pub async fn a_stopped_node_is_explained(mut world: World) {
    world.stop().await;
    expect(&checked(&*world.node()).await, Some(NodeErrorKind::Refused), "refused: ");
}

pub async fn a_wrong_certificate_is_explained(world: World) {
    let other = world.other().await;
    let certificate = Some(Source::File(other.file("tls.cert")));
    let credentials = Credentials { certificate, ..world.credentials("shop.macaroon") };
    let node = world.node_with(credentials, Policy::default());
    expect(&checked(&*node).await, Some(NodeErrorKind::WrongCertificate), "wrong certificate: ");
}

pub async fn an_expired_certificate_is_explained(world: World) {
    world.simulator().renew_certificate(-60).unwrap();
    expect(&checked(&*world.node()).await, Some(NodeErrorKind::ExpiredCertificate), "expired certificate: ");
}

pub async fn a_wrong_macaroon_is_explained(world: World) {
    let other = world.other().await;
    let macaroon = Source::File(other.file("shop.macaroon"));
    let node = world.node_with(Credentials { macaroon, ..world.credentials("shop.macaroon") }, Policy::default());
    expect(&checked(&*node).await, Some(NodeErrorKind::WrongMacaroon), "wrong macaroon: ");
}

pub async fn a_too_powerful_macaroon_is_explained(world: World) {
    let node = world.node_with(world.credentials("admin.macaroon"), Policy::default());
    let checked = checked(&*node).await;
    expect(&checked, Some(NodeErrorKind::TooPowerfulMacaroon), "too powerful macaroon: ");
    assert!(checked.line().contains("lncli bakemacaroon"), "{}", checked.line());
}

pub async fn a_missing_macaroon_file_is_explained(world: World) {
    let node = world.node_with(world.credentials("no-such.macaroon"), Policy::default());
    expect(&checked(&*node).await, Some(NodeErrorKind::BadCredentials), "bad credentials: the macaroon file ");
}

pub async fn a_wrong_network_is_explained(world: World) {
    let checked = soon(check(&*world.node(), Some(Network::Mainnet), None)).await;
    expect(&checked, Some(NodeErrorKind::WrongNetwork), "wrong network: ");
}

pub async fn a_known_invoice_tells_the_network_where_the_macaroon_does_not(world: World) {
    let node = world.node_with(world.credentials("invoice.macaroon"), Policy::default());
    expect(&checked(&*node).await, None, "ok: network not known");
    let checked = soon(check(&*node, Some(Network::Regtest), Some(MAINNET_REQUEST))).await;
    expect(&checked, Some(NodeErrorKind::WrongNetwork), "wrong network: ");
}

pub async fn a_node_behind_the_chain_is_explained(world: World) {
    world.simulator().faults().set_synced(false);
    expect(&checked(&*world.node()).await, Some(NodeErrorKind::NotSynced), "not synced: ");
}

pub async fn a_silent_node_is_explained(world: World) {
    let _silence = world.silence();
    let node = world.node_with(world.credentials("shop.macaroon"), hasty());
    expect(&checked(&*node).await, Some(NodeErrorKind::TimedOut), "time-out: ");
}
