//! Several nodes, and nodes that fail, forget and come back.

mod choice;
mod identity;
mod known_bugs;
mod meanwhile;
mod restored;

use ip2tor_lnd_simulator::State;
use ip2tor_shop::domain::id::{NodeId, OrderId, Random, SystemRandom};
use ip2tor_shop::domain::lightning::{InvoiceRequest, Preimage};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::lightning::LightningNode;

use crate::money::rig::Rig;

impl Rig {
    fn node_of(&self, order: OrderId) -> NodeId {
        self.view(order).purchase.invoice.node_id
    }

    /// The states of all hashes that an order's invoice ever had, at both nodes.
    fn attempts(&self, order: OrderId) -> Vec<Option<State>> {
        let (first, second) = (self.sim().node(), self.spare().sim.node());
        let attempts = self.shop.db.read(|db| ip2tor_shop::store::outbox::attempts(db, order)).expect("attempts");
        let at = |hash| first.invoice(hash).or_else(|| second.invoice(hash));
        attempts.iter().map(|attempt| at(attempt.hash).map(|invoice| invoice.state())).collect()
    }

    pub fn open_alerts(&self, topic: &str) -> i64 {
        self.count(&format!("SELECT count(*) FROM alert WHERE topic = '{topic}' AND closed_at IS NULL"))
    }

    fn ports_in_use(&self) -> i64 {
        self.count("SELECT count(*) FROM port")
    }

    pub fn connector(&self) -> std::sync::Arc<dyn LightningNode> {
        self.registry.get(self.node).expect("the node").node
    }

    /// A payment for an attempt at an order that the shop has lost.
    async fn lost_settlement(&self, attempt: u32) {
        let order = OrderId(SystemRandom.uuid());
        self.settlement(&format!("PO: {order}"), self.shop.preimage(order, attempt)).await;
    }

    /// Somebody makes an invoice with this memo at the first node, past the shop, and it is paid.
    pub async fn foreign_settlement(&self, memo: &str, number: u8) {
        self.settlement(memo, Preimage([number; 32])).await;
    }

    async fn settlement(&self, memo: &str, preimage: Preimage) {
        let request = InvoiceRequest {
            hash: preimage.hash(),
            preimage: Some(preimage),
            amount: Msat(7000),
            memo: memo.to_owned(),
            described_by: None,
            expiry_secs: 600,
            cltv_expiry: None,
            private: false,
        };
        self.connector().create(&request).await.expect("made");
        self.sim().node().arrive(preimage.hash(), &[7000], 7000).expect("paid");
    }
}
