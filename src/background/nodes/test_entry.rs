//! What the tests of the nodes' tasks share.

use super::connect::connect;
use super::entry::Entry;
use crate::domain::id::NodeId;
use crate::domain::node::NodeKind;
use crate::lightning::dial::Dial;
use crate::store::node_state::Spec;

/// A node that is not there.
pub fn entry_of(id: NodeId) -> Entry {
    let spec = Spec {
        id,
        kind: NodeKind::Cln,
        name: "cln".to_owned(),
        host: "/no/lightning-rpc".to_owned(),
        port: 0,
        certificate_file: None,
        certificate: None,
        macaroon_file: None,
        macaroon: None,
        allow_spending: false,
        details_macaroon_file: None,
    };
    let node = connect(&spec, &Dial::direct()).unwrap();
    Entry::new(spec, node)
}
