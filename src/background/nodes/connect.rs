//! From a node's stored record to a connector.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::lightning::{NodeError, NodeErrorKind};
use crate::domain::node::NodeKind;
use crate::lightning::LightningNode;
use crate::lightning::cln::CoreLightning;
use crate::lightning::connector::NodeAddress;
use crate::lightning::credentials::{Credentials, Source};
use crate::lightning::dial::Dial;
use crate::lightning::lnd_grpc::LndGrpc;
use crate::lightning::lnd_rest::LndRest;
use crate::lightning::policy::Policy;
use crate::store::node_state::Spec;

/// The connector for a node. Nothing is sent yet.
///
/// # Errors
/// [`NodeErrorKind::BadCredentials`] when the record is incomplete.
pub fn connect(spec: &Spec, dial: &Dial) -> Result<Arc<dyn LightningNode>, NodeError> {
    let policy = policy(spec);
    let address = NodeAddress { host: spec.host.clone(), port: spec.port };
    Ok(match spec.kind {
        NodeKind::Cln => Arc::new(CoreLightning::new(PathBuf::from(&spec.host), policy)),
        NodeKind::LndRest => Arc::new(LndRest::new(address, credentials(spec)?, policy, dial.clone())),
        NodeKind::LndGrpc => Arc::new(LndGrpc::new(address, credentials(spec)?, policy, dial.clone())?),
    })
}

fn policy(spec: &Spec) -> Policy {
    let policy = Policy { allow_powerful_macaroon: spec.allow_spending, ..Policy::default() };
    // A connection through Tor alone takes seconds.
    if spec.host.ends_with(".onion") { policy.patient() } else { policy }
}

fn credentials(spec: &Spec) -> Result<Credentials, NodeError> {
    let source = |file: &Option<String>, stored: &Option<Vec<u8>>| match (file, stored) {
        (Some(file), _) => Some(Source::File(PathBuf::from(file))),
        (None, Some(bytes)) => Some(Source::Memory(bytes.clone())),
        (None, None) => None,
    };
    let macaroon = source(&spec.macaroon_file, &spec.macaroon).ok_or_else(|| {
        let detail = format!("bad credentials: node {} has no macaroon; set one with `node set`", spec.name);
        NodeError::new(NodeErrorKind::BadCredentials, detail)
    })?;
    let certificate = source(&spec.certificate_file, &spec.certificate);
    let details_macaroon = source(&spec.details_macaroon_file, &None);
    Ok(Credentials { certificate, macaroon, details_macaroon })
}
