//! The stream of settlements, its cursor, and the watching of single invoices.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ip2tor_shop::domain::lightning::{NodeError, NodeErrorKind, NodeInvoice, NodeInvoiceState};
use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::supervise::{SettlementSink, supervise};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::world::{World, next, plain, soon};

pub async fn only_settlements_after_the_cursor_are_replayed(world: World) {
    let node = world.node();
    let mut indexes = Vec::new();
    for number in 1..=3 {
        let hash = world.sell(&*node, number).await;
        indexes.push(node.look_up(hash).await.unwrap().unwrap().settle_index);
    }
    assert!(indexes.is_sorted() && indexes[0] > 0);
    let mut stream = node.settlements(indexes[0]).await.unwrap();
    for number in 2..=3 {
        let invoice = next(&mut stream).await.unwrap().unwrap();
        assert_eq!((invoice.hash, invoice.state), (plain(number).hash, NodeInvoiceState::Settled));
        assert_eq!(invoice.settle_index, indexes[usize::from(number) - 1]);
    }
}

/// A rule of LND: the very first settlement can't be replayed, only found by looking it up.
pub async fn a_cursor_of_zero_replays_nothing(world: World) {
    let node = world.node();
    let missed = world.sell(&*node, 1).await;
    let mut stream = node.settlements(0).await.unwrap();
    subscribed(&world, &*node, &mut stream).await;
    assert_eq!(node.look_up(missed).await.unwrap().unwrap().state, NodeInvoiceState::Settled);
}

/// Core Lightning's rule: it counts from the first settlement ever.
pub async fn a_cursor_of_zero_replays_everything(world: World) {
    let node = world.node();
    for number in 1..=2 {
        world.sell(&*node, number).await;
    }
    let mut stream = node.settlements(0).await.unwrap();
    for number in 1..=2 {
        assert_eq!(next(&mut stream).await.unwrap().unwrap().hash, plain(number).hash);
    }
}

pub async fn gaps_between_indexes_do_no_harm(world: World) {
    let node = world.node();
    let first = world.sell(&*node, 1).await;
    let cursor = node.look_up(first).await.unwrap().unwrap().settle_index;
    world.make_gap();
    world.sell(&*node, 2).await;
    let mut stream = node.settlements(cursor).await.unwrap();
    let invoice = next(&mut stream).await.unwrap().unwrap();
    assert_eq!(invoice.hash, plain(2).hash);
    assert!(invoice.settle_index > cursor + 1, "{} follows {cursor}", invoice.settle_index);
}

pub async fn new_settlements_arrive_and_nothing_else(world: World) {
    let node = world.node();
    let first = world.sell(&*node, 1).await;
    let cursor = node.look_up(first).await.unwrap().unwrap().settle_index;
    let mut stream = node.settlements(cursor).await.unwrap();
    node.create(&plain(2)).await.unwrap();
    node.cancel(plain(2).hash).await.unwrap();
    let third = world.sell(&*node, 3).await;
    assert_eq!(next(&mut stream).await.unwrap().unwrap().hash, third);
}

pub async fn a_watched_invoice_shows_its_present_state_then_its_changes(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap().state, NodeInvoiceState::Open);
    world.pay(plain(1).hash);
    // LND tells the first state twice to who asks in the moment in which the invoice is made.
    let mut state = NodeInvoiceState::Open;
    while state == NodeInvoiceState::Open {
        state = next(&mut stream).await.unwrap().unwrap().state;
    }
    assert_eq!(state, NodeInvoiceState::Settled);
    assert!(next(&mut stream).await.is_none());
}

pub async fn a_dropped_stream_ends_with_an_error_and_goes_on_from_the_cursor(world: World) {
    let node = world.node();
    let mut stream = node.settlements(0).await.unwrap();
    let cursor = subscribed(&world, &*node, &mut stream).await;
    let error = world.end_stream(&mut stream).await;
    assert_eq!(error.kind, NodeErrorKind::Unavailable);
    assert!(next(&mut stream).await.is_none());
    let missed = world.sell(&*node, 1).await;
    let mut stream = node.settlements(cursor).await.unwrap();
    while next(&mut stream).await.unwrap().unwrap().hash != missed {}
}

pub async fn the_supervisor_reconnects_and_misses_nothing(mut world: World) {
    let (sink, mut events) = Sink::new();
    let node = world.node();
    let supervised = node.clone();
    let task = tokio::spawn(async move { supervise(&*supervised, &sink).await });
    assert_eq!(soon(events.recv()).await, Some(Event::Connected));
    settle_until_told(&world, &*node, &mut events).await;
    world.stop().await;
    assert_eq!(soon(events.recv()).await, Some(Event::Lost { is_news: true }));
    for _ in 0..2 {
        assert_eq!(soon(events.recv()).await, Some(Event::Lost { is_news: false }), "told once while it is down");
    }
    world.start().await;
    let missed = world.sell(&*world.node(), 1).await;
    loop {
        match soon(events.recv()).await.unwrap() {
            Event::Settled(invoice) if invoice.hash == missed => break,
            _ => {}
        }
    }
    task.abort();
}

/// Pays invoices until the stream tells of one: from then on the subscription stands. Answers with
/// the greatest settle index told.
async fn subscribed(
    world: &World,
    node: &dyn LightningNode,
    stream: &mut ip2tor_shop::lightning::InvoiceStream,
) -> u64 {
    let mut number = 100;
    loop {
        let hash = world.sell(node, number).await;
        let told = tokio::time::timeout(Duration::from_millis(200), futures_util::StreamExt::next(stream)).await;
        if let Ok(item) = told {
            let invoice = item.unwrap().unwrap();
            assert!(number > 100 || invoice.hash == hash, "an older settlement was replayed");
            return invoice.settle_index;
        }
        number += 1;
    }
}

/// The same for a supervised stream.
async fn settle_until_told(world: &World, node: &dyn LightningNode, events: &mut UnboundedReceiver<Event>) {
    for number in 100.. {
        world.sell(node, number).await;
        if let Ok(event) = tokio::time::timeout(Duration::from_millis(200), events.recv()).await {
            assert!(matches!(event, Some(Event::Settled(_))), "{event:?}");
            while events.try_recv().is_ok() {}
            return;
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Connected,
    Settled(Box<NodeInvoice>),
    Lost { is_news: bool },
}

/// Remembers the cursor and tells what happens.
struct Sink {
    cursor: Arc<AtomicU64>,
    events: UnboundedSender<Event>,
}

impl Sink {
    fn new() -> (Self, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        (Self { cursor: Arc::default(), events }, receiver)
    }
}

#[async_trait]
impl SettlementSink for Sink {
    async fn cursor(&self) -> Result<u64, NodeError> {
        Ok(self.cursor.load(Ordering::SeqCst))
    }

    async fn connected(&self) {
        self.events.send(Event::Connected).ok();
    }

    async fn settled(&self, invoice: NodeInvoice) -> Result<(), NodeError> {
        self.cursor.store(invoice.settle_index, Ordering::SeqCst);
        self.events.send(Event::Settled(Box::new(invoice))).ok();
        Ok(())
    }

    async fn lost(&self, _: &NodeError, _: Duration, is_news: bool) {
        self.events.send(Event::Lost { is_news }).ok();
    }
}
