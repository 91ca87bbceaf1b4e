//! A node in bodies. What can spend, or lets somebody in, is taken and never shown.

use poem_openapi::Object;
use serde::Serialize;
use serde_json::Value;

use super::values::{date, msat};
use crate::domain::lightning::Certificate;
use crate::domain::node::Node;
use crate::services::Error;
use crate::services::backstage::{Backstage, Credentials, NodeReport, Pasted};
use crate::services::nodes::manage::NodeChange;

/// The certificate that a node must show, as it was when the node was last asked.
#[derive(Debug, Serialize, Object)]
pub struct AdminCertificate {
    /// The host names and IP addresses that it is for.
    pub names: Vec<String>,
    /// When it begins to be valid.
    pub from: String,
    /// When it ends.
    pub until: String,
}

impl AdminCertificate {
    /// Out of what is stored of a node.
    fn stored(info: &Value) -> Option<Self> {
        let text = |key: &str| info[key].as_str().map(str::to_owned);
        let names = info["names"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { names, from: text("from")?, until: text("until")? })
    }
}

impl From<Certificate> for AdminCertificate {
    fn from(certificate: Certificate) -> Self {
        let Certificate { names, validity } = certificate;
        Self { names, from: validity.from.to_wire(), until: validity.until.to_wire() }
    }
}

/// A node.
#[derive(Debug, Serialize, Object)]
pub struct AdminNode {
    /// Its id.
    pub id: String,
    /// The number of its operator.
    pub owner_id: i64,
    /// `lnd_grpc`, `lnd_rest` or `cln`.
    pub kind: String,
    /// What its operator calls it.
    pub name: String,
    /// Host name, IP address or socket.
    pub host: String,
    /// Its port; 0 for a socket.
    pub port: u16,
    /// The file with its certificate, where it is one.
    pub certificate_file: Option<String>,
    /// Whether a copy of its certificate is stored.
    pub has_certificate: bool,
    /// What its certificate says; null where the roots of the machine decide, for a socket, and until it has answered.
    pub certificate: Option<AdminCertificate>,
    /// The file with its macaroon for invoices, where it is one.
    pub macaroon_file: Option<String>,
    /// Whether a copy of its macaroon is stored.
    pub has_macaroon: bool,
    /// Whether it may pay refunds.
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
    pub checked_at: Option<String>,
    /// What it, or the way to it, last complained about.
    pub last_error: Option<String>,
    /// What is wrong with its clock or ours, while the two are apart.
    pub clock_note: Option<String>,
    /// The network that it works on.
    pub network: Option<String>,
    /// Its public key.
    pub pubkey: Option<String>,
    /// Its name in the network.
    pub alias: Option<String>,
    /// Addresses where peers reach it.
    pub uris: Vec<String>,
    /// Its channels that are in use.
    pub active_channels: Option<u32>,
    /// What its channels can receive, in msat, if it tells.
    pub inbound_msat: Option<u64>,
    /// What its channels can send, in msat, if it tells.
    pub outbound_msat: Option<u64>,
    /// Its best block.
    pub block_height: Option<u32>,
    /// Whether it says that it has caught up with the chain.
    pub synced_to_chain: Option<bool>,
    /// Its version.
    pub version: Option<String>,
    /// Why payments can't be held there, although nodes of its kind can do that.
    pub cannot_hold: Option<String>,
    /// When it was added.
    pub created_at: String,
    /// When it last changed.
    pub modified_at: String,
}

impl From<&Node> for AdminNode {
    fn from(node: &Node) -> Self {
        let info: Value = node.info.as_deref().and_then(|info| serde_json::from_str(info).ok()).unwrap_or_default();
        let text = |key: &str| info[key].as_str().map(str::to_owned);
        let small = |key: &str| info[key].as_u64().and_then(|number| u32::try_from(number).ok());
        let uris = info["uris"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Self {
            id: node.id.to_string(),
            owner_id: node.operator_id.0,
            kind: node.kind.name().to_owned(),
            name: node.name.clone(),
            host: node.host.clone(),
            port: node.port,
            certificate_file: node.certificate_file.clone(),
            has_certificate: node.certificate.is_some(),
            certificate: AdminCertificate::stored(&info["certificate"]),
            macaroon_file: node.macaroon_file.clone(),
            has_macaroon: node.macaroon.is_some(),
            pays_refunds: node.pays_refunds,
            priority: node.priority,
            is_enabled: node.is_enabled,
            allow_spending: node.allow_spending,
            use_holds: node.use_holds,
            is_alive: node.is_alive,
            checked_at: date(node.checked_at),
            last_error: node.last_error.clone(),
            clock_note: node.clock_note.clone(),
            network: node.network.clone(),
            pubkey: node.pubkey.clone(),
            alias: text("alias"),
            uris: uris.map(str::to_owned).collect(),
            active_channels: small("active_channels"),
            inbound_msat: info["inbound_msat"].as_u64(),
            outbound_msat: info["outbound_msat"].as_u64(),
            block_height: small("block_height"),
            synced_to_chain: info["synced_to_chain"].as_bool(),
            version: text("version"),
            cannot_hold: text("cannot_hold"),
            created_at: node.created_at.to_wire(),
            modified_at: node.modified_at.to_wire(),
        }
    }
}

/// The settings of a node that are to change.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNodeFields {
    /// What its operator calls it.
    pub name: Option<String>,
    /// Host name, IP address, .onion address, or (for administrators) the full path of a Core Lightning socket.
    pub host: Option<String>,
    /// Its port; 10009 for `lnd_grpc` and 8080 for `lnd_rest` unless given.
    pub port: Option<u16>,
    /// Its certificate, pasted; a copy is stored.
    pub certificate: Option<String>,
    /// The file with its certificate, read anew for each connection; for administrators.
    pub certificate_file: Option<String>,
    /// Its macaroon for invoices, pasted in any form; a copy is stored, and never shown.
    pub macaroon: Option<String>,
    /// The file with it, read anew for each connection; for administrators.
    pub macaroon_file: Option<String>,
    /// The file with its read-only macaroon, where the one for invoices tells nothing of it; for administrators.
    pub details_macaroon_file: Option<String>,
    /// The file with a macaroon that can pay, read by refunds alone; for administrators.
    pub payment_macaroon_file: Option<String>,
    /// Whether refunds may be paid from it.
    pub pays_refunds: Option<bool>,
    /// The lowest number is tried first.
    pub priority: Option<i64>,
    /// Whether it is used.
    pub is_enabled: Option<bool>,
    /// Whether a macaroon that could spend is accepted.
    pub allow_spending: Option<bool>,
    /// Whether hold invoices are used where it can make them.
    pub use_holds: Option<bool>,
    /// The same node is now at the new host or port; without it these stay while invoices can be paid.
    pub has_moved: Option<bool>,
}

impl AdminNodeFields {
    /// The change that is meant.
    pub fn change(self, backstage: &dyn Backstage) -> Result<NodeChange, Error> {
        let pasted = Pasted { certificate: self.certificate, macaroon: self.macaroon };
        let Credentials { certificate, macaroon } = backstage.read_pasted(&pasted)?;
        Ok(NodeChange {
            name: self.name,
            host: self.host,
            port: self.port,
            certificate_file: self.certificate_file,
            certificate,
            macaroon_file: self.macaroon_file,
            macaroon,
            details_macaroon_file: self.details_macaroon_file,
            payment_macaroon_file: self.payment_macaroon_file,
            pays_refunds: self.pays_refunds,
            priority: self.priority,
            is_enabled: self.is_enabled,
            allow_spending: self.allow_spending,
            use_holds: self.use_holds,
            has_moved: self.has_moved.unwrap_or(false),
        })
    }
}

/// A node that is to be added.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNewNode {
    /// `lnd_grpc`, `lnd_rest` or `cln`.
    pub kind: String,
    /// The name of its operator; without it, whoever asks or (for an administrator) the only one there is.
    pub owner: Option<String>,
    /// Whether it is stored without being tried.
    pub untested: Option<bool>,
    /// Its settings; what is not given has its default.
    pub settings: AdminNodeFields,
}

/// A change of a node.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNodeChange {
    /// Whether it is stored without being tried.
    pub untested: Option<bool>,
    /// The settings that are to change.
    pub settings: AdminNodeFields,
}

/// A node that was added.
#[derive(Debug, Serialize, Object)]
pub struct AdminNodeAdded {
    /// The node.
    pub node: AdminNode,
    /// What it said.
    pub report: Option<AdminNodeReport>,
}

/// A node that was changed.
#[derive(Debug, Serialize, Object)]
pub struct AdminNodeChanged {
    /// As it is now.
    pub node: AdminNode,
    /// What changed; credentials are not named.
    pub changed: Vec<String>,
}

/// What a node says of itself.
#[derive(Debug, Serialize, Object)]
pub struct AdminNodeReport {
    /// Whether it can be used.
    pub is_fine: bool,
    /// One line: what it is, or what is wrong and what to do (English).
    pub line: String,
    /// Its name in the network.
    pub alias: Option<String>,
    /// Its public key.
    pub pubkey: Option<String>,
    /// The network that it works on.
    pub network: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its best block.
    pub block_height: Option<u32>,
    /// Whether it says that it has caught up with the chain.
    pub synced_to_chain: Option<bool>,
    /// Its channels that are in use.
    pub active_channels: Option<u32>,
    /// What its channels can receive, in msat, if it tells.
    pub inbound_msat: Option<i64>,
    /// What its channels can send, in msat, if it tells.
    pub outbound_msat: Option<i64>,
    /// How far its clock is ahead of the machine's, in seconds.
    pub clock_ahead_secs: Option<i64>,
    /// The certificate that it must show, where one is given.
    pub certificate: Option<AdminCertificate>,
}

impl From<NodeReport> for AdminNodeReport {
    fn from(report: NodeReport) -> Self {
        Self {
            is_fine: report.is_fine,
            line: report.line,
            alias: report.alias,
            pubkey: report.pubkey,
            network: report.network,
            version: report.version,
            block_height: report.block_height,
            synced_to_chain: report.is_synced,
            active_channels: report.active_channels,
            inbound_msat: report.inbound.map(msat),
            outbound_msat: report.outbound.map(msat),
            clock_ahead_secs: report.ahead_secs,
            certificate: report.certificate.map(Into::into),
        }
    }
}
