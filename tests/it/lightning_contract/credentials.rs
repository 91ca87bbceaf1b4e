//! Certificates and macaroons of LND: renewed, wrong, too powerful, just enough.

use ip2tor_shop::domain::lightning::{Network, NodeErrorKind};
use ip2tor_shop::lightning::credentials::{Credentials, Source};
use ip2tor_shop::lightning::policy::Policy;

use super::world::{PRICE, World, next, plain};

const YEAR_SECS: i64 = 365 * 24 * 3600;

pub async fn a_renewed_certificate_is_picked_up(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    next(&mut stream).await.unwrap().unwrap();
    world.simulator().renew_certificate(YEAR_SECS).unwrap();
    world.simulator().faults().drop_connections();
    next(&mut stream).await.unwrap().unwrap_err();
    assert!(node.look_up(plain(1).hash).await.unwrap().is_some());
}

pub async fn a_renewed_macaroon_is_picked_up(world: World) {
    let other = world.other().await;
    let file = world.file("copied.macaroon");
    std::fs::copy(other.file("shop.macaroon"), &file).unwrap();
    let node = world.node_with(world.credentials("copied.macaroon"), Policy::default());
    assert_eq!(node.create(&plain(1)).await.unwrap_err().kind, NodeErrorKind::WrongMacaroon);
    std::fs::copy(world.file("shop.macaroon"), &file).unwrap();
    node.create(&plain(1)).await.unwrap();
}

pub async fn the_stock_invoice_macaroon_is_enough(world: World) {
    let node = world.node_with(world.credentials("invoice.macaroon"), Policy::default());
    let bare = node.info().await.unwrap();
    assert_eq!((bare.network, bare.pubkey, bare.alias), (None, None, None));
    world.sell(&*node, 1).await;
    let info = node.info().await.unwrap();
    assert_eq!(info.network, Some(Network::Regtest));
    // The newest invoice may be anybody's, and one with blinded paths has a key of its own.
    assert_eq!((info.pubkey, info.alias, info.synced_to_chain), (None, None, None));
    node.create(&plain(2)).await.unwrap();
    node.cancel(plain(2).hash).await.unwrap();
    drop(node.settlements(0).await.unwrap());
}

pub async fn a_read_only_macaroon_adds_the_details(world: World) {
    let readonly = Some(Source::File(world.file("readonly.macaroon")));
    let credentials = Credentials { details_macaroon: readonly, ..world.credentials("invoice.macaroon") };
    let node = world.node_with(credentials, Policy::default());
    let info = node.info().await.unwrap();
    assert_eq!((info.network, info.synced_to_chain), (Some(Network::Regtest), Some(true)));
    assert!(info.inbound.is_some_and(|inbound| inbound > PRICE) && info.outbound.is_some());
    node.create(&plain(1)).await.unwrap();
}

pub async fn a_macaroon_of_another_node_is_wrong(world: World) {
    let other = world.other().await;
    let macaroon = Source::Memory(std::fs::read(other.file("shop.macaroon")).unwrap());
    let node = world.node_with(Credentials { macaroon, ..world.credentials("shop.macaroon") }, Policy::default());
    for error in [node.create(&plain(1)).await.unwrap_err(), node.info().await.unwrap_err()] {
        assert_eq!(error.kind, NodeErrorKind::WrongMacaroon);
        assert!(!error.may_have_happened());
    }
    assert_eq!(world.node().look_up(plain(1).hash).await.unwrap(), None);
}

pub async fn good_details_do_not_hide_a_wrong_macaroon_for_invoices(world: World) {
    let other = world.other().await;
    let macaroon = Source::Memory(std::fs::read(other.file("invoice.macaroon")).unwrap());
    let details_macaroon = Some(Source::File(world.file("readonly.macaroon")));
    let credentials = Credentials { macaroon, details_macaroon, ..world.credentials("invoice.macaroon") };
    let node = world.node_with(credentials, Policy::default());
    assert_eq!(node.info().await.unwrap_err().kind, NodeErrorKind::WrongMacaroon);
}

pub async fn a_macaroon_that_can_spend_is_refused_before_anything_is_sent(mut world: World) {
    // Nothing listens any more: an attempt to connect would be told as "refused".
    world.stop().await;
    let node = world.node_with(world.credentials("admin.macaroon"), Policy::default());
    let error = node.create(&plain(1)).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::TooPowerfulMacaroon);
    assert!(error.detail.contains("lncli bakemacaroon invoices:read invoices:write info:read"), "{error}");
}

pub async fn a_macaroon_that_can_spend_is_used_where_that_is_allowed(world: World) {
    let policy = Policy { allow_powerful_macaroon: true, ..Policy::default() };
    let node = world.node_with(world.credentials("admin.macaroon"), policy);
    node.create(&plain(1)).await.unwrap();
}
