//! What an LND says of itself as far as its macaroons permit, by whichever interface it is asked.

use async_trait::async_trait;

use super::link::MacaroonHeader;
use super::outcome;
use super::rights::Call;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, NodeInfo};

/// The calls that tell of a node.
#[async_trait]
pub trait Describes: Sync {
    /// `GetInfo` and what its channels can receive, asked with `macaroon`.
    async fn get_info(&self, macaroon: &MacaroonHeader) -> Result<NodeInfo, NodeError>;
    /// The payment request of the newest invoice, anybody's.
    async fn newest_request(&self) -> Result<Option<String>, NodeError>;
}

/// What the node says of itself; `macaroon` is that for invoices, `details` a read-only one beside it.
///
/// # Errors
/// When the node does not answer, or takes neither macaroon.
pub async fn of(
    node: &impl Describes,
    macaroon: &MacaroonHeader,
    details: Option<&MacaroonHeader>,
) -> Result<NodeInfo, NodeError> {
    if details.is_some() && macaroon.permits(Call::ListInvoices).await? {
        // Details alone make no invoice: only a call tells whether the node takes the macaroon that does.
        node.newest_request().await?;
    }
    let telling = details.unwrap_or(macaroon);
    if telling.permits(Call::GetInfo).await? {
        match node.get_info(telling).await {
            // The node may take the macaroon for invoices all the same; a bad one fails below.
            Err(error) if error.kind == NodeErrorKind::WrongMacaroon => {}
            result => return result,
        }
    }
    if !macaroon.permits(Call::ListInvoices).await? {
        return Ok(NodeInfo::default());
    }
    Ok(node.newest_request().await?.map(|request| outcome::info_from_request(&request)).unwrap_or_default())
}
