//! What a simulated node can be told to do wrong, and how that is written in one line for the
//! command line: `AddInvoice:unavailable:3`, `all:slow=500`, `wallet:locked`, `clear`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::cln_faults::{ClnFaults, Part, PayEnd};
use ip2tor_domain::lightning::Network;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is not done and answered with code 14 (`UNAVAILABLE`).
    Unavailable,
    /// The call is done after a delay.
    Slow(Duration),
    /// The call is done, its answer is `UNAVAILABLE`.
    LoseAnswer,
    /// The call is not done, its stream is reset without an answer.
    Reset,
    /// The call is done, its stream is reset without an answer.
    ResetAfter,
    /// The call is done, and the connection breaks in the middle of its answer (by gRPC: before it).
    Cut,
}

/// A fault for some calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name of the call, such as `AddInvoice`; `None` for all.
    pub method: Option<String>,
    /// How they go wrong.
    pub fault: Fault,
    /// How many more calls it hits; `None` until it is cleared.
    pub times: Option<u32>,
}

/// Whether the node serves calls at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wallet {
    /// It serves them.
    #[default]
    Unlocked,
    /// As after a restart without automatic unlocking.
    Locked,
    /// Unlocked, but not ready yet.
    Starting,
    /// The process has just started.
    Waiting,
    /// Unlocked, but the store of the macaroons is not.
    MacaroonsLocked,
}

impl Wallet {
    /// How LND refuses every call meanwhile, word for word.
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Unlocked => None,
            Self::Locked => Some("wallet locked, unlock it to enable full RPC access"),
            Self::Starting => {
                Some("the RPC server is in the process of starting up, but not yet ready to accept calls")
            }
            Self::Waiting => Some("waiting to start, RPC services not available"),
            Self::MacaroonsLocked => Some("cannot retrieve macaroon: cannot get macaroon: macaroon store is locked"),
        }
    }

    /// Everything but [`Wallet::Unlocked`].
    pub const NOT_YET: [Self; 4] = [Self::Waiting, Self::Locked, Self::MacaroonsLocked, Self::Starting];
}

#[derive(Default)]
struct Conditions {
    rules: Vec<Rule>,
    wallet: Wallet,
    unsynced: bool,
    told_network: Option<Network>,
    blinds: bool,
    no_route: bool,
    lacking: Vec<String>,
    peers_gone: bool,
    spared: Vec<String>,
}

/// The faults in force.
pub struct Faults {
    /// Those of Core Lightning's payments.
    pub cln: ClnFaults,
    conditions: Mutex<Conditions>,
    streams: watch::Sender<u64>,
    payments: watch::Sender<u64>,
    connections: watch::Sender<u64>,
    deaths: watch::Sender<u64>,
    chain_hangs: watch::Sender<bool>,
}

impl Default for Faults {
    fn default() -> Self {
        let epoch = || watch::Sender::new(0);
        Self {
            cln: ClnFaults::default(),
            conditions: Mutex::default(),
            streams: epoch(),
            payments: epoch(),
            connections: epoch(),
            deaths: epoch(),
            chain_hangs: watch::Sender::new(false),
        }
    }
}

impl Faults {
    /// Adds a fault; earlier ones for the same call come first.
    pub fn add(&self, rule: Rule) {
        self.lock().rules.push(rule);
    }

    /// `fault` for the next `times` calls of `method` (a name such as `AddInvoice`, or `all`).
    pub fn next(&self, method: &str, fault: Fault, times: u32) {
        self.add(Rule { method: method_name(method), fault, times: Some(times) });
    }

    /// `fault` for `method` (a name such as `AddInvoice`, or `all`) until [`Faults::clear`].
    pub fn always(&self, method: &str, fault: Fault) {
        self.add(Rule { method: method_name(method), fault, times: None });
    }

    /// Spares the next call of `method` from its faults.
    pub fn spare_next(&self, method: &str) {
        self.lock().spared.push(method.to_owned());
    }

    /// Back to a healthy node.
    pub fn clear(&self) {
        self.cln.clear();
        *self.lock() = Conditions::default();
        self.set_chain_hangs(false);
    }

    /// Makes the node's chain backend hang, as one does that is busy or was stopped: GetInfo waits for it, calls about
    /// invoices don't.
    pub fn set_chain_hangs(&self, hangs: bool) {
        self.chain_hangs.send_replace(hangs);
    }

    /// Waits until the chain backend answers.
    pub fn chain_answers(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut hangs = self.chain_hangs.subscribe();
        async move {
            if hangs.wait_for(|hangs| !hangs).await.is_err() {
                // The node is gone.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Locks or unlocks the wallet.
    pub fn set_wallet(&self, wallet: Wallet) {
        self.lock().wallet = wallet;
    }

    /// Whether the node serves calls.
    pub fn wallet(&self) -> Wallet {
        self.lock().wallet
    }

    /// Makes the node say whether it has caught up with the chain.
    pub fn set_synced(&self, synced: bool) {
        self.lock().unsynced = !synced;
    }

    /// Whether the node has caught up with the chain.
    pub fn synced(&self) -> bool {
        !self.lock().unsynced
    }

    /// Makes the node say that it works on `network`, whatever its invoices are for.
    pub fn tell_network(&self, network: Network) {
        self.lock().told_network = Some(network);
    }

    /// The network that the node is to tell instead of its own.
    pub fn told_network(&self) -> Option<Network> {
        self.lock().told_network
    }

    /// Makes invoices that are signed with a key of their own, as those with blinded paths are.
    pub fn set_blinds(&self, blinds: bool) {
        self.lock().blinds = blinds;
    }

    /// Whether invoices are signed with a key of their own.
    pub fn blinds(&self) -> bool {
        self.lock().blinds
    }

    /// Whether the node's payments find no route.
    pub fn set_no_route(&self, no_route: bool) {
        self.lock().no_route = no_route;
    }

    /// Whether the node's payments find no route.
    pub fn no_route(&self) -> bool {
        self.lock().no_route
    }

    /// Makes the node one that was built without these services or calls: `beginning` of their paths, such as
    /// `/invoicesrpc.`.
    pub fn leave_out(&self, beginning: &str) {
        self.lock().lacking.push(beginning.to_owned());
    }

    /// Whether the node was built without this call.
    pub fn lacks(&self, path: &str) -> bool {
        self.lock().lacking.iter().any(|beginning| path.starts_with(beginning.as_str()))
    }

    /// Whether the peers of the node's channels are gone; the channels stay.
    pub fn set_peers_gone(&self, gone: bool) {
        self.lock().peers_gone = gone;
    }

    /// Whether the peers of the node's channels are gone.
    pub fn peers_gone(&self) -> bool {
        self.lock().peers_gone
    }

    /// Ends all open streams with an error; connections stay.
    pub fn drop_streams(&self) {
        self.streams.send_modify(|epoch| *epoch += 1);
    }

    /// Ends the streams of all payments as LND does when it shuts down; the payments go on.
    pub fn drop_payments(&self) {
        self.payments.send_modify(|epoch| *epoch += 1);
    }

    /// Cuts all connections, as a crash of the node or its network does.
    pub fn drop_connections(&self) {
        self.connections.send_modify(|epoch| *epoch += 1);
    }

    /// Lets all connections die in silence, as a router does that has forgotten them: clients learn it from the reset
    /// that answers what they send next.
    pub fn let_connections_die(&self) {
        self.deaths.send_modify(|epoch| *epoch += 1);
    }

    /// Changes at the next [`Faults::let_connections_die`].
    pub fn deaths(&self) -> watch::Receiver<u64> {
        self.deaths.subscribe()
    }

    /// Resolves at the next [`Faults::drop_streams`].
    pub fn streams_dropped(&self) -> impl Future<Output = ()> + Send + 'static {
        changed(self.streams.subscribe())
    }

    /// Resolves at the next [`Faults::drop_payments`].
    pub fn payments_dropped(&self) -> impl Future<Output = ()> + Send + 'static {
        changed(self.payments.subscribe())
    }

    /// Resolves at the next [`Faults::drop_connections`].
    pub fn connections_dropped(&self) -> impl Future<Output = ()> + Send + 'static {
        changed(self.connections.subscribe())
    }

    /// What goes wrong with this call; counts it.
    pub fn strike(&self, method: &str) -> Vec<Fault> {
        let mut conditions = self.lock();
        if let Some(at) = conditions.spared.iter().position(|spared| spared == method) {
            conditions.spared.remove(at);
            return Vec::new();
        }
        let mut struck = Vec::new();
        for rule in conditions.rules.iter_mut().filter(|rule| rule.method.as_deref().is_none_or(|name| name == method))
        {
            struck.push(rule.fault);
            rule.times = rule.times.map(|times| times.saturating_sub(1));
        }
        conditions.rules.retain(|rule| rule.times != Some(0));
        struck
    }

    fn lock(&self) -> MutexGuard<'_, Conditions> {
        self.conditions.lock()
    }
}

async fn changed(mut epoch: watch::Receiver<u64>) {
    if epoch.changed().await.is_err() {
        // The node is gone, and with it everything that could be dropped.
        std::future::pending::<()>().await;
    }
}

fn method_name(text: &str) -> Option<String> {
    (text != "all").then(|| text.to_owned())
}

/// One instruction for a running simulator, as the command line writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `METHOD:FAULT[:TIMES]`; the method may be `all`.
    Rule(Rule),
    /// `clear`: healthy again.
    Clear,
    /// `streams:drop`
    DropStreams,
    /// `payments:drop`
    DropPayments,
    /// `connections:drop`
    DropConnections,
    /// `wallet:waiting`, `wallet:locked`, `wallet:macaroons-locked`, `wallet:starting`, `wallet:unlocked`
    Wallet(Wallet),
    /// `chain:hangs`, `chain:answers`
    ChainHangs(bool),
    /// `chain:synced`, `chain:unsynced`
    Synced(bool),
    /// `chain:height=N`
    Height(u32),
    /// `payments:no-route`, `payments:routed`
    NoRoute(bool),
    /// For Core Lightning's `pay` and `xpay`: `payments:error=CODE` (nothing is sent), `payments:error-after=CODE` (a part
    /// is on its way), `payments:error-before=CODE` (a part is sent a moment later)
    EndPayments(PayEnd),
    /// `xpay:missing`
    LacksXpay,
    /// `balance:LOCAL_SAT/REMOTE_SAT`
    Balance {
        /// What can be sent.
        local_sat: u64,
        /// What can be received.
        remote_sat: u64,
    },
    /// `certificate:renew`
    RenewCertificate,
}

/// The text is no [`Instruction`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownInstruction(String);

impl fmt::Display for UnknownInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown fault {:?}; use METHOD:FAULT[:TIMES] (METHOD a call such as AddInvoice, or all; FAULT \
             unavailable, slow=MILLISECONDS, lose-answer, reset, reset-after or cut), streams:drop, connections:drop, \
             wallet:waiting|locked|macaroons-locked|starting|unlocked, \
             chain:synced|unsynced|hangs|answers|height=N, payments:no-route|routed|drop, \
             payments:error=CODE|error-after=CODE|error-before=CODE, xpay:missing, balance:LOCAL_SAT/REMOTE_SAT, certificate:renew, or clear",
            self.0
        )
    }
}

impl std::error::Error for UnknownInstruction {}

impl FromStr for Instruction {
    type Err = UnknownInstruction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        let parsed = match parts.as_slice() {
            ["clear"] => Some(Self::Clear),
            ["streams", "drop"] => Some(Self::DropStreams),
            ["connections", "drop"] => Some(Self::DropConnections),
            ["wallet", "locked"] => Some(Self::Wallet(Wallet::Locked)),
            ["wallet", "starting"] => Some(Self::Wallet(Wallet::Starting)),
            ["wallet", "waiting"] => Some(Self::Wallet(Wallet::Waiting)),
            ["wallet", "macaroons-locked"] => Some(Self::Wallet(Wallet::MacaroonsLocked)),
            ["chain", "hangs"] => Some(Self::ChainHangs(true)),
            ["chain", "answers"] => Some(Self::ChainHangs(false)),
            ["wallet", "unlocked"] => Some(Self::Wallet(Wallet::Unlocked)),
            ["chain", "synced"] => Some(Self::Synced(true)),
            ["chain", "unsynced"] => Some(Self::Synced(false)),
            ["chain", height] => height.strip_prefix("height=").and_then(|n| n.parse().ok()).map(Self::Height),
            ["payments", "drop"] => Some(Self::DropPayments),
            ["payments", "no-route"] => Some(Self::NoRoute(true)),
            ["payments", "routed"] => Some(Self::NoRoute(false)),
            ["payments", end] => end_of_payments(end).map(Self::EndPayments),
            ["xpay", "missing"] => Some(Self::LacksXpay),
            ["balance", both] => balance(both),
            ["certificate", "renew"] => Some(Self::RenewCertificate),
            [method, fault] => rule(method, fault, None),
            [method, fault, times] => times.parse().ok().and_then(|times| rule(method, fault, Some(times))),
            _ => None,
        };
        parsed.ok_or_else(|| UnknownInstruction(text.to_owned()))
    }
}

fn end_of_payments(text: &str) -> Option<PayEnd> {
    let (end, code) = text.split_once('=')?;
    let part = match end {
        "error" => Part::None,
        "error-after" => Part::Sent,
        "error-before" => Part::Late,
        _ => return None,
    };
    Some(PayEnd { code: code.parse().ok()?, part })
}

fn balance(text: &str) -> Option<Instruction> {
    let (local, remote) = text.split_once('/')?;
    Some(Instruction::Balance { local_sat: local.parse().ok()?, remote_sat: remote.parse().ok()? })
}

fn rule(method: &str, fault: &str, times: Option<u32>) -> Option<Instruction> {
    let fault = match fault {
        "unavailable" => Fault::Unavailable,
        "lose-answer" => Fault::LoseAnswer,
        "reset" => Fault::Reset,
        "reset-after" => Fault::ResetAfter,
        "cut" => Fault::Cut,
        _ => Fault::Slow(Duration::from_millis(fault.strip_prefix("slow=")?.parse().ok()?)),
    };
    Some(Instruction::Rule(Rule { method: method_name(method), fault, times }))
}

#[cfg(test)]
mod tests;
