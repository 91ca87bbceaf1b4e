//! The calls that tell what the node serves, which are those that cancel and settle as well.

use async_trait::async_trait;
use fedimint_tonic_lnd::invoicesrpc::{AddHoldInvoiceRequest, CancelInvoiceMsg, SettleInvoiceMsg};

use super::super::rights::Call;
use super::super::served::BareCalls;
use super::{LndGrpc, found, with_macaroon};
use ip2tor_domain::lightning::{NodeError, PaymentHash, Preimage};

#[async_trait]
impl BareCalls for LndGrpc {
    async fn cancel_bare(&self, hash: PaymentHash) -> Result<bool, NodeError> {
        let call = |client, header| {
            let mut client = self.invoices(client);
            let request = with_macaroon(CancelInvoiceMsg { payment_hash: hash.0.to_vec() }, header);
            async move { found(client.cancel_invoice(request).await) }
        };
        let macaroon = self.macaroon.permitting(Call::CancelInvoice).await?;
        Ok(self.link.call(self.link.policy().call_limit, macaroon, call).await?.is_some())
    }

    async fn settle_bare(&self, preimage: Preimage) -> Result<bool, NodeError> {
        let call = |client, header| {
            let mut client = self.invoices(client);
            let request = with_macaroon(SettleInvoiceMsg { preimage: preimage.0.to_vec() }, header);
            async move { found(client.settle_invoice(request).await) }
        };
        let macaroon = self.macaroon.permitting(Call::SettleInvoice).await?;
        Ok(self.link.call(self.link.policy().call_limit, macaroon, call).await?.is_some())
    }

    async fn hold_nothing(&self) -> Result<(), NodeError> {
        self.ask_to_hold(AddHoldInvoiceRequest::default()).await.map(drop)
    }
}
