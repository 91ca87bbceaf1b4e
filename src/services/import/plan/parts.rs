//! The parts of a plan: rows that are to be stored.

use super::super::ledger::Ledger;
use crate::domain::alert::AlertTopic;
use crate::domain::deny_list::{DenyKind, DenyStatus};
use crate::domain::host::{Host, PortKind};
use crate::domain::id::{HostId, NodeId, OperatorId, ProductId};
use crate::domain::lightning::PaymentHash;
use crate::domain::money::Msat;
use crate::domain::node::Node;
use crate::domain::operator::Role;
use crate::domain::product::Product;
use crate::domain::purchase::Purchase;
use crate::domain::time::Timestamp;

/// Somebody who runs the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOperator {
    pub id: OperatorId,
    pub name: String,
    pub role: Role,
    /// That of the old shop's framework until the first login, or one that fits no password.
    pub password_hash: String,
    pub created_at: Timestamp,
}

/// A node. One that `is_gone` is only named by old invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNode {
    pub node: Node,
    pub is_gone: bool,
}

/// A host with its ports. Without a hash nobody has its token yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHost {
    pub host: Host,
    pub token_hash: Option<[u8; 32]>,
    pub ranges: Vec<(PortKind, u16, u16)>,
}

/// A further invoice that was made for an order, and what came by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherInvoice {
    pub hash: PaymentHash,
    pub node: NodeId,
    pub received: Option<Msat>,
}

/// An order, and further invoices that were made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    pub purchase: Purchase,
    pub product: ProductId,
    pub host: HostId,
    pub others: Vec<OtherInvoice>,
}

/// What the operator is told of beyond the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlert {
    pub topic: AlertTopic,
    pub subject: String,
    pub text: String,
}

/// An entry of the deny list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDenied {
    pub kind: DenyKind,
    pub value: String,
    pub status: DenyStatus,
    pub comment: String,
}

/// Everything that is to be stored, and the report of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Domain and name.
    pub(in crate::services::import) site: Option<(String, String)>,
    pub(in crate::services::import) operators: Vec<NewOperator>,
    pub(in crate::services::import) nodes: Vec<NewNode>,
    pub(in crate::services::import) hosts: Vec<NewHost>,
    /// Products, and whether they are monitored is in them.
    pub(in crate::services::import) products: Vec<Product>,
    pub(in crate::services::import) orders: Vec<NewOrder>,
    pub(in crate::services::import) denied: Vec<NewDenied>,
    pub(in crate::services::import) alerts: Vec<NewAlert>,
    pub(in crate::services::import) ledger: Ledger,
    /// Why it can't be done.
    pub(in crate::services::import) wrong: Vec<String>,
}

impl Plan {
    /// The operator is told of something.
    pub(super) fn alert(&mut self, topic: AlertTopic, subject: impl ToString, text: impl Into<String>) {
        self.alerts.push(NewAlert { topic, subject: subject.to_string(), text: text.into() });
    }
}
