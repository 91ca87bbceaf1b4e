//! Whether an LND serves what only cancelling and holding need: an LND built without `invoicesrpc`, a gateway
//! that lets only `/v1` through, or a macaroon for single calls may make invoices that can't be ended. Asked
//! with calls that change nothing, and remembered for the macaroon that they were made with.

use async_trait::async_trait;
use http::HeaderValue;
use parking_lot::{Mutex, MutexGuard};

use super::link::MacaroonHeader;
use super::rights::{Call, HOLDING, MAKING, lack, lacking};
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, NodeInfo, PaymentHash, Preimage};

/// No invoice was ever made with this; so to cancel or settle it changes nothing.
const NOBODYS: Preimage = Preimage(*b"ip2tor-shop asks: is this served");

/// The bare calls that tell; each answers whether the node knows the invoice.
#[async_trait]
pub trait BareCalls: Sync {
    /// `CancelInvoice`.
    async fn cancel_bare(&self, hash: PaymentHash) -> Result<bool, NodeError>;
    /// `SettleInvoice`.
    async fn settle_bare(&self, preimage: Preimage) -> Result<bool, NodeError>;
    /// `AddHoldInvoice` without a hash, which every node refuses.
    async fn hold_nothing(&self) -> Result<(), NodeError>;
}

/// What is known of a node's services.
#[derive(Default)]
pub struct Served(Mutex<Option<Known>>);

#[derive(Clone)]
struct Known {
    /// The macaroon that was used.
    macaroon: HeaderValue,
    findings: Findings,
}

/// What can't be done at a node.
#[derive(Clone, Default)]
pub struct Findings {
    /// Why no invoice may be made.
    pub lacks: Option<NodeError>,
    /// Why payments can't be held.
    pub cannot_hold: Option<NodeError>,
}

impl Findings {
    const fn is_good(&self) -> bool {
        self.lacks.is_none() && self.cannot_hold.is_none()
    }

    /// What the node says of itself, with what it can't do.
    pub fn noted_in(self, info: NodeInfo) -> NodeInfo {
        NodeInfo { lacks: self.lacks, cannot_hold: self.cannot_hold.map(|error| error.detail), ..info }
    }
}

impl Served {
    /// What the node can't do; asks it unless it was found to do everything that the macaroon permits.
    ///
    /// # Errors
    /// When the node does not answer, so that nothing is known.
    pub async fn findings(&self, node: &impl BareCalls, macaroon: &MacaroonHeader) -> Result<Findings, NodeError> {
        let known = self.lock().clone();
        let is_good = known.as_ref().is_none_or(|known| known.findings.is_good());
        // A macaroon with which something can't be done may have been replaced by a better one.
        let header = if is_good { macaroon.header().await? } else { macaroon.reread().await? };
        if let Some(known) = known.filter(|known| known.macaroon == header) {
            return Ok(known.findings);
        }
        let findings = ask(node, macaroon).await?;
        // What is not served may be served after an upgrade; asking again leaves no trace at the node. What
        // the macaroon does not permit is not asked again before there is another one.
        let not_served = |error: &Option<NodeError>| error.as_ref().is_some_and(is_not_served);
        if !not_served(&findings.lacks) && !not_served(&findings.cannot_hold) {
            *self.lock() = Some(Known { macaroon: header, findings: findings.clone() });
        }
        Ok(findings)
    }

    /// Makes sure that an invoice may be made, and held if `is_hold`.
    ///
    /// # Errors
    /// Why not; nothing was made.
    pub async fn require(
        &self,
        node: &impl BareCalls,
        macaroon: &MacaroonHeader,
        is_hold: bool,
    ) -> Result<(), NodeError> {
        let findings = self.findings(node, macaroon).await?;
        findings.lacks.or(findings.cannot_hold.filter(|_| is_hold)).map_or(Ok(()), Err)
    }

    /// Takes note of the answer to a real call: what is not served any more is asked for again.
    pub fn learn<T>(&self, answer: Result<T, NodeError>) -> Result<T, NodeError> {
        if answer.as_ref().is_err_and(is_not_served) {
            *self.lock() = None;
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock()
    }
}

async fn ask(node: &impl BareCalls, macaroon: &MacaroonHeader) -> Result<Findings, NodeError> {
    let lacks = match missing(macaroon, &MAKING).await? {
        None => refusal(node.cancel_bare(NOBODYS.hash()).await)?,
        lack => lack,
    };
    if lacks.is_some() {
        return Ok(Findings { lacks, cannot_hold: None });
    }
    let cannot_hold = match missing(macaroon, &HOLDING).await? {
        None => match refusal(node.settle_bare(NOBODYS).await)? {
            None => refusal(node.hold_nothing().await)?,
            refused => refused,
        },
        lack => lack,
    };
    Ok(Findings { lacks: None, cannot_hold })
}

async fn missing(macaroon: &MacaroonHeader, calls: &[Call]) -> Result<Option<NodeError>, NodeError> {
    let names = macaroon.macaroon().await?.map(|macaroon| lacking(&macaroon, calls)).unwrap_or_default();
    Ok((!names.is_empty()).then(|| lack(&names)))
}

/// Whether the answer says that this call is not to be had. Any other refusal is about what was asked.
fn refusal<T>(answer: Result<T, NodeError>) -> Result<Option<NodeError>, NodeError> {
    match answer {
        Ok(_) => Ok(None),
        Err(error) if is_not_served(&error) || error.kind == NodeErrorKind::WrongMacaroon => Ok(Some(error)),
        Err(error) if error.kind == NodeErrorKind::Rejected => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_not_served(error: &NodeError) -> bool {
    error.kind == NodeErrorKind::NotServed
}
