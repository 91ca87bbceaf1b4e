//! The node double: a table with LND's rules, in memory. The simulator of this crate signs real
//! invoices and journals to disk; this one is only as real as the shop can see, so that thousands of
//! runs fit in minutes. It can be away, lose requests, lose answers, stall in the middle of a call, and
//! have a chain backend that hangs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use ip2tor_shop::domain::lightning::{
    CancelOutcome, InvoicePage, InvoiceRequest, MadeInvoice, Network, NodeError, NodeErrorKind, NodeInfo, NodeInvoice,
    NodeInvoiceState, PaymentHash, Preimage, SettleOutcome,
};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::time::{Clock, ManualClock, Timestamp};
use ip2tor_shop::lightning::{InvoiceStream, LightningNode};
use tokio::sync::oneshot;

/// LND cancels a held payment this many blocks before it would time out on the chain.
const HOLD_EXPIRY_DELTA: u32 = 12;

/// How often a live stream looks for news.
const POLL: Duration = Duration::from_millis(20);

/// How the node treats calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Every call works.
    Fine,
    /// Every call works but GetInfo, which waits for the chain backend until the caller gives up.
    Busy,
    /// Every call is refused.
    Away,
    /// One call in three fails, before or after it was done.
    Flaky,
    /// One call in three stalls, before or after it was done.
    Stalling,
}

struct Record {
    invoice: NodeInvoice,
    is_hold: bool,
    cltv: u32,
}

struct State {
    records: BTreeMap<PaymentHash, Record>,
    /// Settled invoices in the order of their index: what a stream tells.
    settled: BTreeMap<u64, PaymentHash>,
    last_settle: u64,
    height: u32,
    weather: Weather,
    seed: u64,
    /// How often each was called: luck depends on that and not on the order of calls, so that a run can be repeated.
    calls: BTreeMap<u64, u64>,
    /// Lets each stalled call go on.
    stalled: Vec<oneshot::Sender<()>>,
    /// Whether the shop knows that GetInfo is not answered.
    counts_as_down: bool,
    /// Calls in progress that began while it counted as down and that such a node gets one at a time.
    turns: u32,
    /// How often what happened since it was last looked at.
    seen: Vec<String>,
}

impl State {
    fn luck(&mut self, about: u64) -> u32 {
        let times = self.calls.entry(about).or_default();
        *times += 1;
        fastrand::Rng::with_seed(self.seed ^ about.rotate_left(17) ^ *times).u32(..6)
    }
}

/// A call that a node which counts as down gets one at a time.
struct Turn<'a>(&'a Node);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().turns -= 1;
    }
}

/// A node.
pub struct Node {
    clock: Arc<ManualClock>,
    state: Mutex<State>,
    me: Weak<Self>,
    /// Whether streams tell by themselves what happens.
    is_live: AtomicBool,
}

impl Node {
    pub fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        let state = State {
            records: BTreeMap::new(),
            settled: BTreeMap::new(),
            last_settle: 0,
            height: 1000,
            weather: Weather::Fine,
            seed: 0,
            calls: BTreeMap::new(),
            stalled: Vec::new(),
            counts_as_down: false,
            turns: 0,
            seen: Vec::new(),
        };
        let (state, is_live) = (Mutex::new(state), AtomicBool::new(false));
        Arc::new_cyclic(|me| Self { clock, state, me: me.clone(), is_live })
    }

    /// From now on streams tell by themselves what happens; else the test hands their news over, one at a time.
    pub fn set_live(&self) {
        self.is_live.store(true, Ordering::Relaxed);
    }

    /// The state, with everything expired that is due.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap();
        let (now, height) = (self.clock.now(), state.height);
        for record in state.records.values_mut() {
            let invoice = &mut record.invoice;
            let given_up = invoice.nearest_htlc_expiry.is_some_and(|expiry| expiry <= height + HOLD_EXPIRY_DELTA);
            match invoice.state {
                NodeInvoiceState::Open if invoice.expires_at <= now => invoice.state = NodeInvoiceState::Canceled,
                NodeInvoiceState::Accepted if given_up => give_back(invoice),
                _ => {}
            }
        }
        state
    }

    pub fn set_weather(&self, weather: Weather, seed: u64) {
        let mut state = self.lock();
        state.weather = weather;
        state.seed = seed;
    }

    /// Whether the shop has learned that the node does not say what it is.
    pub fn set_counts_as_down(&self, counts_as_down: bool) {
        self.lock().counts_as_down = counts_as_down;
    }

    /// How many calls have stalled.
    pub fn stalled(&self) -> usize {
        let mut state = self.lock();
        state.stalled.retain(|call| !call.is_closed());
        state.stalled.len()
    }

    /// Lets one of the stalled calls go on.
    pub fn resume(&self, n: usize) {
        let call = self.lock().stalled.swap_remove(n);
        call.send(()).unwrap();
    }

    /// What happened since this was last asked.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().seen)
    }

    pub fn weather(&self) -> Weather {
        self.lock().weather
    }

    pub fn mine_blocks(&self, count: u32) {
        self.state.lock().unwrap().height += count;
        drop(self.lock());
    }

    pub fn invoice(&self, hash: PaymentHash) -> Option<NodeInvoice> {
        self.lock().records.get(&hash).map(|record| record.invoice.clone())
    }

    pub fn invoices(&self) -> Vec<NodeInvoice> {
        self.lock().records.values().map(|record| record.invoice.clone()).collect()
    }

    /// A payment arrives in full: a plain invoice settles, a hold invoice is accepted. `blocks` is
    /// how many the payer leaves above the invoice's demand (negative: a careless payer).
    pub fn pay(&self, hash: PaymentHash, amount: u64, blocks: i32) -> bool {
        let mut state = self.lock();
        let (now, height) = (self.clock.now(), state.height);
        let Some(record) = state.records.get_mut(&hash) else { return false };
        if record.invoice.state != NodeInvoiceState::Open {
            return false;
        }
        record.invoice.received = Msat(amount);
        if record.is_hold {
            record.invoice.state = NodeInvoiceState::Accepted;
            record.invoice.accept_height = Some(height);
            record.invoice.nearest_htlc_expiry = Some((height + record.cltv + 3).saturating_add_signed(blocks));
        } else {
            settle(&mut state, hash, now);
        }
        drop(state);
        drop(self.lock());
        true
    }

    /// Somebody pays an invoice that this shop never made.
    pub fn settle_foreign(&self, hash: PaymentHash, memo: String, amount: u64) {
        let mut state = self.lock();
        let now = self.clock.now();
        state.records.insert(hash, record(hash, memo, Msat(amount), now, now.plus_secs(900), None));
        state.records.get_mut(&hash).unwrap().invoice.received = Msat(amount);
        settle(&mut state, hash, now);
    }

    /// Leaves a gap in the settle indexes.
    pub fn skip_indexes(&self, count: u64) {
        self.lock().last_settle += count;
    }

    /// Forgets cancelled invoices.
    pub fn collect_garbage(&self) {
        self.lock().records.retain(|_, record| record.invoice.state != NodeInvoiceState::Canceled);
    }

    /// What a stream that is at `cursor` tells next.
    pub fn settled_after(&self, cursor: u64) -> Vec<NodeInvoice> {
        let state = self.lock();
        state.settled.range(cursor + 1..).map(|(_, hash)| state.records[hash].invoice.clone()).collect()
    }

    /// The newest settle index.
    pub fn last_settle(&self) -> u64 {
        self.lock().last_settle
    }

    /// Whether the node can be reached at all.
    pub fn is_away(&self) -> bool {
        self.weather() == Weather::Away
    }

    /// One call of a `kind`: `done` is what it does when it arrives.
    async fn call<T>(
        &self,
        kind: &str,
        about: u64,
        done: impl FnOnce(&mut State) -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        let (weather, luck) = {
            let mut state = self.lock();
            let luck = state.luck(about ^ kind.len() as u64);
            (state.weather, luck)
        };
        match (weather, luck) {
            (Weather::Away, 0) => return Err(NodeError::new(NodeErrorKind::ConnectTimedOut, "away")),
            (Weather::Away, _) => return Err(NodeError::new(NodeErrorKind::Refused, "away")),
            (Weather::Flaky, 0) => return Err(NodeError::new(NodeErrorKind::Unavailable, "request lost")),
            (Weather::Flaky, 1) => return Err(NodeError::new(NodeErrorKind::Refused, "restarting")),
            (Weather::Stalling, 0) => self.stall(kind).await,
            _ => {}
        }
        let answer = done(&mut self.lock());
        match (weather, luck) {
            (Weather::Flaky, 2 | 3) => {
                let kind = if luck == 2 { NodeErrorKind::TimedOut } else { NodeErrorKind::Unavailable };
                self.lock().seen.push("an answer was lost".to_owned());
                Err(NodeError::new(kind, "answer lost"))
            }
            (Weather::Stalling, 1) => {
                self.stall(kind).await;
                answer
            }
            _ => answer,
        }
    }

    async fn stall(&self, kind: &str) {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.lock();
            state.seen.push(format!("{kind} stalled"));
            state.stalled.push(sender);
        }
        receiver.await.unwrap();
    }

    /// A stream of what `next` finds, until the node is away.
    fn told<P: Send + 'static>(&self, position: P, next: fn(&Self, &mut P) -> Option<NodeInvoice>) -> InvoiceStream {
        let start = self.me.upgrade().filter(|node| node.is_live.load(Ordering::Relaxed));
        let start = start.map(|node| (node, position));
        let told = stream::unfold(start, move |place| async move {
            let (node, mut position) = place?;
            loop {
                if node.is_away() {
                    return Some((Err(NodeError::new(NodeErrorKind::Unavailable, "cut")), None));
                }
                if let Some(invoice) = next(&node, &mut position) {
                    return Some((Ok(invoice), Some((node, position))));
                }
                tokio::time::sleep(POLL).await;
            }
        });
        told.boxed()
    }

    /// Begins a call that a node which counts as down gets one at a time.
    fn turn(&self) -> Option<Turn<'_>> {
        let mut state = self.lock();
        state.counts_as_down.then(|| {
            state.turns += 1;
            assert!(state.turns == 1, "a node that counts as down is asked two things at a time");
            Turn(self)
        })
    }
}

/// What tells calls about different invoices apart.
fn about(hash: PaymentHash) -> u64 {
    u64::from_le_bytes(hash.0[..8].try_into().unwrap())
}

/// Notes that held money went back, or was taken.
fn money_moves(state: &mut State) {
    if state.weather == Weather::Busy {
        state.seen.push("held money moved while the chain backend hung".to_owned());
    }
    if state.counts_as_down {
        state.seen.push("held money moved at a node that counts as down".to_owned());
    }
}

fn give_back(invoice: &mut NodeInvoice) {
    invoice.state = NodeInvoiceState::Canceled;
    invoice.received = Msat(0);
    invoice.nearest_htlc_expiry = None;
}

/// Pages are small here, so that there are many.
fn page(state: &State, after: u64, limit: u32, fits: impl Fn(&Record) -> bool) -> InvoicePage {
    let all: Vec<_> =
        state.records.values().filter(|record| fits(record)).map(|record| record.invoice.clone()).collect();
    let start = usize::try_from(after).unwrap();
    let page: Vec<_> = all.iter().skip(start).take(limit.min(3) as usize).cloned().collect();
    let next = (start + page.len() < all.len()).then(|| after + page.len() as u64);
    InvoicePage { invoices: page, next }
}

fn settle(state: &mut State, hash: PaymentHash, now: Timestamp) {
    state.last_settle += 1;
    let index = state.last_settle;
    state.settled.insert(index, hash);
    let invoice = &mut state.records.get_mut(&hash).unwrap().invoice;
    invoice.state = NodeInvoiceState::Settled;
    invoice.settle_index = index;
    invoice.settled_at = Some(now);
    invoice.nearest_htlc_expiry = None;
}

fn record(hash: PaymentHash, memo: String, amount: Msat, now: Timestamp, end: Timestamp, cltv: Option<u32>) -> Record {
    let invoice = NodeInvoice {
        hash,
        state: NodeInvoiceState::Open,
        memo,
        amount,
        received: Msat(0),
        payment_request: format!("lnbcrt{hash}"),
        created_at: now,
        expires_at: end,
        settled_at: None,
        add_index: 0,
        settle_index: 0,
        nearest_htlc_expiry: None,
        accept_height: None,
    };
    Record { invoice, is_hold: cltv.is_some(), cltv: cltv.unwrap_or(0) }
}

#[async_trait]
impl LightningNode for Node {
    fn can_hold(&self) -> bool {
        true
    }

    async fn create(&self, request: &InvoiceRequest) -> Result<MadeInvoice, NodeError> {
        let now = self.clock.now();
        self.call("make_invoice", about(request.hash), |state| {
            assert!(request.preimage.is_none_or(|preimage| preimage.hash() == request.hash), "a wrong preimage");
            let cltv = request.preimage.is_none().then(|| request.cltv_expiry.expect("holds set their blocks"));
            let end = now.plus_secs(i64::from(request.expiry_secs));
            let kept = state
                .records
                .entry(request.hash)
                .or_insert_with(|| record(request.hash, request.memo.clone(), request.amount, now, end, cltv));
            assert_eq!(kept.invoice.amount, request.amount, "one hash, two prices");
            let invoice = &kept.invoice;
            Ok(MadeInvoice {
                payment_request: invoice.payment_request.clone(),
                created_at: invoice.created_at,
                expires_at: invoice.expires_at,
                add_index: None,
            })
        })
        .await
    }

    async fn look_up(&self, hash: PaymentHash) -> Result<Option<NodeInvoice>, NodeError> {
        self.call("look_up", about(hash), |state| Ok(state.records.get(&hash).map(|record| record.invoice.clone())))
            .await
    }

    async fn cancel(&self, hash: PaymentHash) -> Result<CancelOutcome, NodeError> {
        let _turn = self.turn();
        self.call("cancel_invoice", about(hash), |state| {
            let Some(record) = state.records.get_mut(&hash) else { return Ok(CancelOutcome::Unknown) };
            let before = record.invoice.state;
            match before {
                NodeInvoiceState::Settled => return Ok(CancelOutcome::AlreadySettled),
                NodeInvoiceState::Canceled => {}
                NodeInvoiceState::Open | NodeInvoiceState::Accepted => give_back(&mut record.invoice),
            }
            if before == NodeInvoiceState::Accepted {
                money_moves(state);
            }
            Ok(CancelOutcome::Cancelled)
        })
        .await
    }

    async fn settle(&self, preimage: Preimage) -> Result<SettleOutcome, NodeError> {
        let (_turn, now) = (self.turn(), self.clock.now());
        self.call("settle_invoice", about(preimage.hash()), |state| {
            let hash = preimage.hash();
            match state.records.get(&hash).map(|record| record.invoice.state) {
                None => Ok(SettleOutcome::Unknown),
                Some(NodeInvoiceState::Canceled) => Ok(SettleOutcome::AlreadyCanceled),
                Some(NodeInvoiceState::Settled) => Ok(SettleOutcome::Settled),
                Some(NodeInvoiceState::Open) => Err(NodeError::new(NodeErrorKind::Rejected, "still open")),
                Some(NodeInvoiceState::Accepted) => {
                    settle(state, hash, now);
                    money_moves(state);
                    Ok(SettleOutcome::Settled)
                }
            }
        })
        .await
    }

    async fn settlements(&self, cursor: u64) -> Result<InvoiceStream, NodeError> {
        let last = self.call("settlements", 0, |state| Ok(state.last_settle)).await?;
        // A cursor of 0 replays nothing: a rule of LND.
        let position = if cursor == 0 { last } else { cursor };
        Ok(self.told(position, |node, position| {
            let invoice = node.settled_after(*position).into_iter().next()?;
            *position = invoice.settle_index;
            Some(invoice)
        }))
    }

    async fn watch(&self, hash: PaymentHash) -> Result<InvoiceStream, NodeError> {
        self.call("watch", about(hash), |_| Ok(())).await?;
        Ok(self.told((hash, None), |node, (hash, told)| {
            let invoice = node.invoice(*hash).filter(|invoice| Some(invoice.state) != *told)?;
            *told = Some(invoice.state);
            Some(invoice)
        }))
    }

    async fn open_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        let open =
            |record: &Record| matches!(record.invoice.state, NodeInvoiceState::Open | NodeInvoiceState::Accepted);
        self.call("open_invoices", after, |state| Ok(page(state, after, limit, open))).await
    }

    async fn all_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        self.call("all_invoices", after, |state| Ok(page(state, after, limit, |_| true))).await
    }

    async fn info(&self) -> Result<NodeInfo, NodeError> {
        if self.weather() == Weather::Busy {
            return Err(NodeError::new(NodeErrorKind::TimedOut, "the chain backend hangs"));
        }
        self.call("info", 0, |state| {
            Ok(NodeInfo {
                pubkey: Some("02".repeat(33)),
                network: Some(Network::Regtest),
                block_height: Some(state.height),
                synced_to_chain: Some(true),
                ..NodeInfo::default()
            })
        })
        .await
    }
}
