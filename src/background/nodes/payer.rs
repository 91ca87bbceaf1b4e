//! From a node's stored record to what pays refunds from it.

use std::path::PathBuf;

use crate::domain::lightning::{NodeError, NodeErrorKind};
use crate::domain::node::{Node, NodeKind};
use crate::lightning::connector::NodeAddress;
use crate::lightning::credentials::Source;
use crate::lightning::dial::Dial;
use crate::lightning::paying::{ClnPayer, LndGrpcPayer, LndRestPayer, PayingNode, PaymentCredentials};
use crate::lightning::policy::Policy;
use crate::services::Error;

/// The payer for a node. Nothing is sent yet.
///
/// # Errors
/// [`Error::Refused`] when the record lacks what is needed.
pub fn payer(node: &Node, dial: &Dial) -> Result<Box<dyn PayingNode>, Error> {
    let policy = if node.host.ends_with(".onion") { Policy::default().patient() } else { Policy::default() };
    let address = NodeAddress { host: node.host.clone(), port: node.port };
    Ok(match node.kind {
        NodeKind::Cln => Box::new(ClnPayer::new(PathBuf::from(&node.host), policy)),
        NodeKind::LndRest => Box::new(LndRestPayer::new(address, credentials(node)?, policy, dial.clone())),
        NodeKind::LndGrpc => {
            let payer = LndGrpcPayer::new(address, credentials(node)?, policy, dial.clone());
            Box::new(payer.map_err(|error| nothing_paid(node, &error))?)
        }
    })
}

fn credentials(node: &Node) -> Result<PaymentCredentials, Error> {
    let file = node.payment_macaroon_file.as_ref().ok_or_else(|| {
        let (name, how) = (&node.name, node.how_to_pay_refunds());
        Error::Refused(format!("Node {name} has no macaroon for payments any more. Set it again: {how}.").into())
    })?;
    let certificate = match (&node.certificate_file, &node.certificate) {
        (Some(file), _) => Some(Source::File(PathBuf::from(file))),
        (None, stored) => stored.clone().map(Source::Memory),
    };
    Ok(PaymentCredentials { certificate, macaroon: Source::File(PathBuf::from(file)) })
}

/// The node was certainly not asked to pay, or said no.
pub fn nothing_paid(node: &Node, error: &NodeError) -> Error {
    let mut text = format!("Nothing was paid by node {}: {error}.", node.name);
    if !node.kind.is_socket() && error.kind == NodeErrorKind::WrongMacaroon {
        text.push_str(&format!(" Then name the file: `node set {} --payment-macaroon-file FILE`.", node.id));
    }
    Error::Refused(text.into())
}
