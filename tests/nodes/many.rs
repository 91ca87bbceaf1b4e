//! Invoices of others on the shop's node, many at once, made through our own connectors.

use std::sync::Arc;

use ip2tor_shop::domain::lightning::{InvoiceRequest, Preimage};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::lightning::LightningNode;
use tokio::task::JoinSet;

/// At the same time.
const ABREAST: usize = 16;

/// Makes open invoices that live for an hour and have nothing to do with the shop.
pub fn make_foreign_invoices(node: &Arc<dyn LightningNode>, count: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut makers = JoinSet::new();
        for _ in 0..ABREAST {
            let node = Arc::clone(node);
            makers.spawn(async move {
                for _ in 0..count.div_ceil(ABREAST) {
                    node.create(&foreign()).await.expect("the node makes an invoice");
                }
            });
        }
        while let Some(made) = makers.join_next().await {
            made.expect("no maker panics");
        }
    });
}

fn foreign() -> InvoiceRequest {
    let preimage = Preimage(std::array::from_fn(|_| fastrand::u8(..)));
    InvoiceRequest {
        hash: preimage.hash(),
        preimage: Some(preimage),
        amount: Msat(21_000),
        memo: "coffee".to_owned(),
        described_by: None,
        expiry_secs: 3600,
        cltv_expiry: None,
        private: false,
    }
}
