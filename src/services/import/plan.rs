//! What becomes of the old shop: rows of this one, decided without looking at anything but the dump. Ids stay as they are,
//! since buyers' software extends by them and hosts' scripts show theirs.

mod machines;
mod orders;
mod people;
mod places;
mod products;
mod sales;

use super::Refused;
use super::env::Env;
use super::ledger::Ledger;
use super::old::Old;
use super::report::Report;
use crate::domain::alert::AlertTopic;
use crate::domain::deny_list::{DenyKind, DenyStatus};
use crate::domain::host::{Host, PortKind};
use crate::domain::id::{HostId, NodeId, OperatorId, ProductId};
use crate::domain::lightning::PaymentHash;
use crate::domain::node::Node;
use crate::domain::operator::Role;
use crate::domain::product::Product;
use crate::domain::purchase::Purchase;
use crate::domain::time::Timestamp;

/// Somebody who runs the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewOperator {
    pub id: OperatorId,
    pub name: String,
    pub role: Role,
    /// That of the old shop's framework until the first login, or one that fits no password.
    pub password_hash: String,
    pub created_at: Timestamp,
}

/// A node. One that `is_gone` is only named by old invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewNode {
    pub node: Node,
    pub is_gone: bool,
}

/// A host with its ports. Without a hash nobody has its token yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewHost {
    pub host: Host,
    pub token_hash: Option<[u8; 32]>,
    pub ranges: Vec<(PortKind, u16, u16)>,
}

/// An order, and the hashes of further invoices that were made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewOrder {
    pub purchase: Purchase,
    pub product: ProductId,
    pub host: HostId,
    pub others: Vec<(PaymentHash, NodeId)>,
}

/// What the operator is told of beyond the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewAlert {
    pub topic: AlertTopic,
    pub subject: String,
    pub text: String,
}

/// An entry of the deny list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewDenied {
    pub kind: DenyKind,
    pub value: String,
    pub status: DenyStatus,
    pub comment: String,
}

/// Everything that is to be stored, and the report of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Domain and name.
    pub(super) site: Option<(String, String)>,
    pub(super) operators: Vec<NewOperator>,
    pub(super) nodes: Vec<NewNode>,
    pub(super) hosts: Vec<NewHost>,
    /// Products, and whether they are monitored is in them.
    pub(super) products: Vec<Product>,
    pub(super) orders: Vec<NewOrder>,
    pub(super) denied: Vec<NewDenied>,
    pub(super) alerts: Vec<NewAlert>,
    pub(super) ledger: Ledger,
    /// Why it can't be done.
    pub(super) wrong: Vec<String>,
}

impl Plan {
    /// Decides.
    pub(super) fn make(old: &Old, env: &Env, now: Timestamp) -> Result<Self, Refused> {
        let mut plan = Self::default();
        let people = people::take(old, &mut plan);
        machines::take_nodes(old, &people, &mut plan);
        machines::take_hosts(old, &people, env, &mut plan);
        machines::take_site(old, &mut plan);
        machines::take_denied(old, &mut plan);
        let sales = sales::link(old, &mut plan);
        products::take(old, sales, &mut plan, now);
        places::give(&mut plan, now);
        machines::tell_of_leftover_ports(old, &mut plan);
        people::tell_of_env(env, &mut plan);
        for key in &old.rest {
            plan.ledger.drop(key, why_not(&key.model));
        }
        Refused::of(std::mem::take(&mut plan.wrong))?;
        Ok(plan)
    }

    /// What becomes of each object of the dump.
    pub fn report(&self) -> Report {
        Report::of(self)
    }

    fn alert(&mut self, topic: AlertTopic, subject: impl ToString, text: impl Into<String>) {
        self.alerts.push(NewAlert { topic, subject: subject.to_string(), text: text.into() });
    }
}

/// Why no object of a model is taken over.
fn why_not(model: &str) -> &'static str {
    match model {
        "auth.group" => "what its members may do is their role here",
        "admin.logentry" => "the old shop's log; this one begins its own",
        "lnrates.fiatrate" => "exchange rates are fetched anew",
        "shop.bandwidthextension" => "the hosts never counted: each bridge has its full allowance",
        "shop.rsshtunnel" => "reverse SSH tunnels were never sold",
        "lnnode.clightningnode" => "the old shop could not use it; add it: `node add --kind cln --host SOCKET`",
        _ => "this shop has nothing of the kind",
    }
}
