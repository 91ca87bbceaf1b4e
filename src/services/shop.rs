//! The shop: what every use case needs, and the bells that wake whoever waits for its results.

use std::sync::Arc;

use hmac::{Hmac, Mac};
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

use super::hosts::check_ins::unstored::CheckIns;
use super::tx::{AfterCommit, ReadTx, Tx};
use super::{Error, Principal};
use crate::domain::alert::AlertTopic;
use crate::domain::fiat::RateRules;
use crate::domain::id::{HostId, IdRuns, OrderId, Random};
use crate::domain::lightning::{Network, Preimage};
use crate::domain::money::Msat;
use crate::domain::time::{Clock, Timestamp};
use crate::domain::transition::BrokenRule;
use crate::store::{Connection, Db, alerts, deny_list, meta};

/// The rules that an operator can change; defaults are those of the shop's specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seconds that an invoice can be paid.
    pub invoice_expiry_secs: u32,
    /// Whether nodes on regtest may sell (development only); then for every host.
    pub allow_regtest: bool,
    /// Payments held per node before plain invoices are used; 0 switches holds off.
    pub max_holds_per_node: u32,
    /// Unpaid hold invoices per node before plain ones are used: each is watched at its node.
    pub max_unpaid_holds_per_node: u32,
    /// Blocks that the last hop of a hold invoice must leave.
    pub hold_cltv_blocks: u32,
    /// New orders are refused for a while when the oldest invoice to be made waits longer. Seconds.
    pub backlog_limit_secs: i64,
    /// An invoice that could not be made for this long is given up. Seconds.
    pub make_limit_secs: i64,
    /// Days that a suspended product keeps its port.
    pub suspended_days: u32,
    /// Days that an order is kept which ended without any payment.
    pub unpaid_days: u32,
    /// Whether time that a dead host cost is added to its products.
    pub credit_outages: bool,
    /// Whether `private` route hints are asked for.
    pub private_route_hints: bool,
    /// Whether a node is asked only for invoices that its channels could receive.
    pub limit_to_inbound: bool,
    /// Exchange rates that invoices are shown with; `None` shows none.
    pub rates: Option<RateRules>,
    /// Whether targets are probed before they are sold a bridge to.
    pub probe: ProbePolicy,
    /// Seconds that a probe may take.
    pub probe_secs: u64,
    /// Target ports where no TLS is expected.
    pub plain_ports: Vec<u16>,
    /// What is paid back to buyers who ask for it within a day, by itself; more waits for the operator.
    pub refunds_per_day: Msat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            invoice_expiry_secs: 900,
            allow_regtest: false,
            max_holds_per_node: 200,
            max_unpaid_holds_per_node: 1000,
            hold_cltv_blocks: 60,
            backlog_limit_secs: 10,
            make_limit_secs: 60,
            suspended_days: 45,
            unpaid_days: 14,
            credit_outages: true,
            private_route_hints: true,
            limit_to_inbound: false,
            rates: None,
            probe: ProbePolicy::Warn,
            probe_secs: 20,
            plain_ports: vec![8333, 9735],
            refunds_per_day: Msat(200_000_000),
        }
    }
}

impl Settings {
    /// Whether a node on `network` may sell for a host with this `is_testnet`.
    pub fn network_fits(&self, network: Option<Network>, is_testnet: bool) -> bool {
        match network {
            Some(Network::Mainnet) => !is_testnet,
            Some(Network::Testnet | Network::Signet) => is_testnet,
            Some(Network::Regtest) => self.allow_regtest,
            None => false,
        }
    }
}

/// What happens to an order whose target does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbePolicy {
    /// Targets are not probed.
    Off,
    /// Buyer and operator are told; the invoice is not delayed.
    Warn,
    /// The order waits for the probe and is rejected when the target is at fault.
    Reject,
}

/// Everything that use cases share. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids, draws and secrets.
    pub random: Arc<dyn Random>,
    ids: Arc<IdRuns>,
    /// The rules.
    pub settings: Arc<Settings>,
    /// Rings when there is something in the outbox.
    pub outbox_bell: Arc<Notify>,
    /// Rings when an invoice was made, or none could be: for those who wait for one before they answer.
    pub invoice_bell: Arc<Notify>,
    /// Rings when a buyer has claimed what is owed.
    pub claim_bell: Arc<Notify>,
    /// Rings with the host that has work to do; lost rings are harmless, hosts also poll.
    pub host_bell: broadcast::Sender<HostId>,
    /// Check-ins of hosts that are not stored yet.
    pub(super) check_ins: Arc<CheckIns>,
    secret: Secret,
    began_at: Option<Timestamp>,
}

/// What is told when the secret is gone.
pub(super) const SECRET_LOST: &str = "the database has orders, but not the secret that their invoices were made with (it is damaged, or \
    somebody has changed it), and no other may take its place: put a backup in place that has it (`backup restore --force FILE`)";

/// What preimages are derived from; never shown.
#[derive(Clone, Copy)]
struct Secret([u8; 32]);

impl Shop {
    /// A shop on this database. Makes the secret that preimages are derived from, once.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there are invoices that were made with a secret which is not there: with another one the
    /// shop could take no payment that it holds, and would not know its own invoices.
    pub fn new(db: Db, clock: Arc<dyn Clock>, random: Arc<dyn Random>, settings: Settings) -> Result<Self, Error> {
        let mut fresh = [0; 32];
        random.fill(&mut fresh);
        let secret = db.write_blocking(move |db| {
            deny_list::respell(db)?;
            if !meta::has_secret_for_its_orders(db)? {
                return Err(Error::Conflict(SECRET_LOST.into()));
            }
            meta::preimage_secret(db, &fresh).map_err(Error::from)
        })?;
        let began = clock.now();
        let newest = db.read(|db| Ok::<_, Error>(meta::newest_time(db)?))?;
        let is_behind = newest.is_some_and(|newest| newest.is_from_the_future(began));
        Ok(Self {
            db,
            clock,
            random,
            ids: Arc::default(),
            settings: Arc::new(settings),
            outbox_bell: Arc::new(Notify::new()),
            invoice_bell: Arc::new(Notify::new()),
            claim_bell: Arc::new(Notify::new()),
            host_bell: broadcast::channel(256).0,
            check_ins: Arc::default(),
            secret: Secret(secret),
            began_at: (!is_behind).then_some(began),
        })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When this process began; `None` when its clock was wrong then.
    pub(super) const fn began_at(&self) -> Option<Timestamp> {
        self.began_at
    }

    /// The id of a new order or product.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(&*self.random)
    }

    /// The preimage of an attempt at an order's invoice: derived from the secret, so that a restored shop can
    /// still settle what it holds.
    pub fn preimage(&self, order: OrderId, attempt: u32) -> Preimage {
        let mut mac = self.mac();
        mac.update(order.0.as_bytes());
        mac.update(&attempt.to_be_bytes());
        Preimage(mac.finalize().into_bytes().into())
    }

    fn mac(&self) -> Hmac<sha2::Sha256> {
        Hmac::new_from_slice(&self.secret.0).expect("HMAC takes keys of any length")
    }

    /// An id that always follows from these parts, and that nobody without the secret can foresee.
    pub(super) fn derived_id(&self, parts: &[&[u8]]) -> OrderId {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.derived(b"the id of an order by form", parts)[..16]);
        OrderId(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The same for a text that shows whose it is, in hexadecimal digits.
    pub(super) fn derived_token(&self, purpose: &[u8], parts: &[&[u8]]) -> String {
        hex::encode(self.derived(purpose, parts))
    }

    fn derived(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac();
        mac.update(purpose);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Looks at the database as somebody; only that tells what may be seen.
    ///
    /// # Errors
    /// Those of `query` and of the database.
    pub fn read<T>(&self, by: &Principal, query: impl FnOnce(&ReadTx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.db.read(|db| query(&ReadTx { db, actor: by, now: self.now() }))
    }

    /// Makes a change as somebody in one transaction; rings the bells once it is durable.
    ///
    /// # Errors
    /// Those of `change`, which is then undone, and of the database.
    pub async fn tx<T, F>(&self, by: &Principal, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (by, clock) = (by.clone(), Arc::clone(&self.clock));
        let stored = self.db.write(move |db| {
            let mut after = AfterCommit::default();
            let value = change(&mut Tx::new(db, &by, clock.now(), &mut after))?;
            Ok::<_, Error>((value, after))
        });
        match stored.await {
            Ok((value, after)) => {
                self.ring(&after);
                Ok(value)
            }
            Err(Error::RuleBroken(broken)) => {
                self.tell_of(&broken).await;
                Err(Error::RuleBroken(broken))
            }
            Err(error) => Err(error),
        }
    }

    /// Tells the operator of a change that was not made, since it would have broken a transition table.
    async fn tell_of(&self, broken: &BrokenRule) {
        tracing::error!("a change was not made: {broken}");
        let (subject, now) = (broken.id.clone(), self.now());
        let text = format!("{broken}. Nothing was changed. This is a defect: please report it with the log");
        let raise =
            move |db: &Connection| Ok::<_, Error>(alerts::raise(db, AlertTopic::RuleBroken, &subject, &text, now)?);
        if let Err(failure) = self.db.write(raise).await {
            tracing::error!(%failure, "nobody could be told of it");
        }
    }

    /// Rings the bells.
    pub fn ring(&self, after: &AfterCommit) {
        if after.outbox {
            self.outbox_bell.notify_one();
        }
        if after.claims {
            self.claim_bell.notify_one();
        }
        for host in &after.hosts {
            // Nobody listening is fine.
            let _ = self.host_bell.send(*host);
        }
    }
}
