//! A Lightning node of an operator, as the shop's records have it.

use strum::EnumCount;

use std::fmt;

use super::id::{NodeId, OperatorId};
use super::time::Timestamp;

/// The command that makes the macaroon for refunds, which an LND pays.
pub const PAYMENT_BAKE_COMMAND: &str =
    "lncli bakemacaroon offchain:read offchain:write --save_to=ip2tor-shop-refunds.macaroon";

/// How the shop speaks to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumCount)]
pub enum NodeKind {
    /// LND over gRPC.
    LndGrpc,
    /// LND over REST.
    LndRest,
    /// Core Lightning over its socket.
    Cln,
}

impl NodeKind {
    /// All kinds.
    pub const ALL: [Self; Self::COUNT] = [Self::LndGrpc, Self::LndRest, Self::Cln];

    /// The name in the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LndGrpc => "lnd_grpc",
            Self::LndRest => "lnd_rest",
            Self::Cln => "cln",
        }
    }

    /// Reads [`NodeKind::name`]; dashes count as underscores.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether such nodes can make hold invoices for the shop.
    pub const fn can_hold(self) -> bool {
        match self {
            Self::LndGrpc | Self::LndRest => true,
            Self::Cln => false,
        }
    }

    /// Whether such nodes are reached through a socket: who may open it may do everything, so there are no
    /// certificates and macaroons.
    pub const fn is_socket(self) -> bool {
        match self {
            Self::Cln => true,
            Self::LndGrpc | Self::LndRest => false,
        }
    }

    /// Whether the API of the predecessor shows such nodes to buyers: it knew no others.
    pub const fn has_compatible_view(self) -> bool {
        match self {
            Self::LndGrpc => true,
            Self::LndRest | Self::Cln => false,
        }
    }

    /// The port that such nodes listen on unless told otherwise; 0 for a socket.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::LndGrpc => 10_009,
            Self::LndRest => 8080,
            Self::Cln => 0,
        }
    }
}

/// A node. Credentials are files, which the node may renew at any time, or stored content.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Its public id.
    pub id: NodeId,
    /// Whose it is; it serves the hosts of the same operator.
    pub operator_id: OperatorId,
    /// How it is spoken to.
    pub kind: NodeKind,
    /// What the operator calls it.
    pub name: String,
    /// Host name, IP address, or the path of the socket.
    pub host: String,
    /// TCP port; 0 for a socket.
    pub port: u16,
    /// The file with its certificate.
    pub certificate_file: Option<String>,
    /// Its certificate (PEM), when there is no file.
    pub certificate: Option<Vec<u8>>,
    /// The file with the macaroon for invoices.
    pub macaroon_file: Option<String>,
    /// The macaroon, when there is no file.
    pub macaroon: Option<Vec<u8>>,
    /// The file with a read-only macaroon that tells details of the node.
    pub details_macaroon_file: Option<String>,
    /// The file with a macaroon that can pay, read by refunds alone.
    pub payment_macaroon_file: Option<String>,
    /// Whether refunds are paid from it. An LND has a payment macaroon then.
    pub pays_refunds: bool,
    /// The lowest number is tried first.
    pub priority: i64,
    /// Whether it is used.
    pub is_enabled: bool,
    /// Whether a macaroon that could spend is accepted.
    pub allow_spending: bool,
    /// Whether hold invoices are used where it can make them.
    pub use_holds: bool,
    /// Whether it answered when it was last asked.
    pub is_alive: bool,
    /// When it was last asked.
    pub checked_at: Option<Timestamp>,
    /// What it, or the way to it, last complained about.
    pub last_error: Option<String>,
    /// The network that it works on.
    pub network: Option<String>,
    /// Its public key.
    pub pubkey: Option<String>,
    /// What it last said of itself (JSON).
    pub info: Option<String>,
    /// What is wrong with its clock or ours, while the two are apart.
    pub clock_note: Option<String>,
    /// How far its settlements are processed.
    pub settle_index: u64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Node {
    /// Whether it has what it takes to pay refunds.
    pub const fn can_refund(&self) -> bool {
        self.kind.is_socket() || self.payment_macaroon_file.is_some()
    }

    /// What an operator does to let it pay refunds: the commands, in one line.
    pub fn how_to_pay_refunds(&self) -> String {
        let enabled = if self.is_enabled { "" } else { " --is-enabled=true" };
        let id = self.id;
        if self.can_refund() {
            return format!("`node set {id} --pays-refunds=true{enabled}`");
        }
        format!("`{PAYMENT_BAKE_COMMAND}` on the node, then `node set {id} --payment-macaroon-file FILE{enabled}`")
    }
}

impl fmt::Debug for Node {
    /// Without what it keeps secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} {:?} {} at {}:{})", self.id, self.name, self.kind.name(), self.host, self.port)
    }
}
