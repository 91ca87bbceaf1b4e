//! Making, looking up and cancelling plain invoices.

use bitcoin::hashes::Hash;
use ip2tor_shop::domain::lightning::{CancelOutcome, InvoiceRequest, Network, NodeErrorKind, NodeInvoiceState};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::lightning::bolt11;
use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef};

use super::world::{EXPIRY_SECS, PRICE, World, only, plain, soon};

/// Lives so shortly that a real node's can be waited for.
const SHORT_EXPIRY_SECS: u32 = 2;

pub async fn a_new_invoice_has_the_terms_that_were_asked_for(world: World) {
    let node = world.node();
    let request = plain(1);
    let made = node.create(&request).await.unwrap();
    let read = bolt11::read(&made.payment_request).unwrap();
    assert_eq!((read.hash, read.amount), (request.hash, Some(PRICE)));
    assert!(world.is_now(made.created_at), "{made:?}");
    assert_eq!(made.expires_at, made.created_at.plus_secs(i64::from(EXPIRY_SECS)));
    let found = node.look_up(request.hash).await.unwrap().unwrap();
    assert_eq!((found.state, found.amount, found.received), (NodeInvoiceState::Open, PRICE, Msat(0)));
    assert_eq!((found.memo.as_str(), found.hash), ("PO: 1", request.hash));
    assert_eq!(found.payment_request, made.payment_request);
    assert_eq!((found.settle_index, found.settled_at), (0, None));
    assert_eq!(found.expires_at, made.expires_at);
}

pub async fn an_invoice_may_carry_the_hash_of_a_text_and_its_node_keeps_the_memo(world: World) {
    let node = world.node();
    let text = "[[\"text/plain\",\"one more period\"]]";
    let request = InvoiceRequest { described_by: Some(text.to_owned()), ..plain(1) };
    let made = node.create(&request).await.unwrap();
    let read: Bolt11Invoice = made.payment_request.parse().unwrap();
    let Bolt11InvoiceDescriptionRef::Hash(hash) = read.description() else { panic!("{}", made.payment_request) };
    assert_eq!(hash.0.to_byte_array(), request.description_hash().unwrap());
    let found = node.look_up(request.hash).await.unwrap().unwrap();
    assert_eq!((found.memo.as_str(), found.state), ("PO: 1", NodeInvoiceState::Open), "it is known as the shop's");
    assert_eq!(node.create(&request).await.unwrap(), made, "asked for twice it is the same");
    assert_eq!(node.cancel(request.hash).await.unwrap(), CancelOutcome::Cancelled);
}

pub async fn making_an_invoice_twice_gives_the_same_one(world: World) {
    let node = world.node();
    let first = node.create(&plain(1)).await.unwrap();
    world.let_pass(5).await;
    assert_eq!(node.create(&plain(1)).await.unwrap(), first);
    assert_eq!(node.open_invoices(world.beginning(), 10).await.unwrap().invoices.len(), 1);
}

pub async fn an_unknown_hash_is_no_error(world: World) {
    let node = world.node();
    let hash = plain(1).hash;
    assert_eq!(node.look_up(hash).await.unwrap(), None);
    assert_eq!(node.cancel(hash).await.unwrap(), CancelOutcome::Unknown);
}

pub async fn a_cancelled_invoice_cannot_be_paid(world: World) {
    let node = world.node();
    let hash = plain(1).hash;
    node.create(&plain(1)).await.unwrap();
    assert_eq!(node.cancel(hash).await.unwrap(), CancelOutcome::Cancelled);
    assert!(world.refuses_payment(hash));
    let state = node.look_up(hash).await.unwrap().map(|invoice| invoice.state);
    assert!(matches!(state, None | Some(NodeInvoiceState::Canceled)), "{state:?}");
}

pub async fn cancelling_twice_is_fine(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    node.cancel(plain(1).hash).await.unwrap();
    let again = node.cancel(plain(1).hash).await.unwrap();
    assert!(matches!(again, CancelOutcome::Cancelled | CancelOutcome::Unknown), "{again:?}");
}

pub async fn a_paid_invoice_cannot_be_cancelled(world: World) {
    let node = world.node();
    let hash = world.sell(&*node, 1).await;
    assert_eq!(node.cancel(hash).await.unwrap(), CancelOutcome::AlreadySettled);
    let found = node.look_up(hash).await.unwrap().unwrap();
    assert_eq!((found.state, found.received), (NodeInvoiceState::Settled, PRICE));
    assert!(found.settle_index > 0 && found.settled_at.is_some());
}

pub async fn an_expired_invoice_is_cancelled_or_gone(world: World) {
    let node = world.node();
    node.create(&InvoiceRequest { expiry_secs: SHORT_EXPIRY_SECS, ..plain(1) }).await.unwrap();
    world.let_pass(SHORT_EXPIRY_SECS + 1).await;
    // Some nodes take another moment to see it.
    soon(async {
        let is_over = |state| matches!(state, None | Some(NodeInvoiceState::Canceled));
        while !is_over(node.look_up(plain(1).hash).await.unwrap().map(|invoice| invoice.state)) {}
    })
    .await;
    assert!(world.refuses_payment(plain(1).hash));
    assert!(node.open_invoices(world.beginning(), 10).await.unwrap().invoices.is_empty());
}

pub async fn more_than_asked_is_reported_as_it_came(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    world.pay_amount(plain(1).hash, PRICE.0 + 7000);
    let found = node.look_up(plain(1).hash).await.unwrap().unwrap();
    assert_eq!((found.amount, found.received), (PRICE, Msat(PRICE.0 + 7000)));
}

pub async fn open_invoices_are_paged_oldest_first(world: World) {
    let node = world.node();
    for number in 1..=7 {
        node.create(&plain(number)).await.unwrap();
    }
    world.pay(plain(2).hash);
    node.cancel(plain(5).hash).await.unwrap();
    let (mut after, mut seen) = (world.beginning(), Vec::new());
    loop {
        let page = node.open_invoices(after, 2).await.unwrap();
        seen.extend(page.invoices.into_iter().map(|invoice| invoice.hash));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, [1, 3, 4, 6, 7].map(|number| plain(number).hash));
}

pub async fn all_invoices_are_paged_oldest_first_whatever_became_of_them(world: World) {
    let node = world.node();
    for number in 1..=5 {
        node.create(&plain(number)).await.unwrap();
    }
    world.pay(plain(2).hash);
    let (mut after, mut seen) = (world.beginning(), Vec::new());
    loop {
        let page = node.all_invoices(after, 2).await.unwrap();
        seen.extend(page.invoices.into_iter().map(|invoice| (invoice.hash, invoice.state)));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let state = |number| if number == 2 { NodeInvoiceState::Settled } else { NodeInvoiceState::Open };
    assert_eq!(seen, [1, 2, 3, 4, 5].map(|number| (plain(number).hash, state(number))));
}

pub async fn an_invoice_of_another_network_is_refused_and_cancelled(world: World) {
    let node = world.node_with(world.credentials("shop.macaroon"), only(Network::Mainnet));
    assert_eq!(node.create(&plain(1)).await.unwrap_err().kind, NodeErrorKind::WrongNetwork);
    assert!(world.refuses_payment(plain(1).hash));
    let node = world.node_with(world.credentials("shop.macaroon"), only(Network::Regtest));
    node.create(&plain(2)).await.unwrap();
}

pub async fn the_node_tells_about_itself(world: World) {
    let info = world.node().info().await.unwrap();
    assert_eq!(info.network, Some(Network::Regtest));
    assert_eq!(info.synced_to_chain, Some(true));
    let pubkey = info.pubkey.unwrap();
    assert_eq!(pubkey, world.pubkey());
    assert!(info.uris.iter().all(|uri| uri.starts_with(&pubkey)));
    assert!(info.alias.is_some() && info.version.is_some());
    assert!(info.block_height.is_some() && info.active_channels.is_some());
}

pub async fn many_calls_at_once_all_succeed(world: World) {
    let node = world.node();
    let calls = (1..=60).map(|number| {
        let node = node.clone();
        tokio::spawn(async move { node.create(&plain(number)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        soon(call).await.unwrap().unwrap();
    }
    assert_eq!(node.open_invoices(world.beginning(), 100).await.unwrap().invoices.len(), 60);
}
