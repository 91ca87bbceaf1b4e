//! What operators do with their Lightning nodes: add, change, list, remove.

mod open_matters;

use open_matters::{needs_no_open_refund, needs_nothing_open};

use super::{health, names};
use crate::domain::address::{self, with_port};
use crate::domain::alert::AlertTopic;
use crate::domain::id::{NodeId, Random};
use crate::domain::node::{Node, NodeKind, PAYMENT_BAKE_COMMAND};
use crate::domain::text::{NOT_PLAIN, is_plain_name};
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::services::operators::manage;
use crate::services::payments::refunds::BY_HAND;
use crate::services::{Error, ReadTx, Tx, authz};
use crate::store::node_state::Spec;
use crate::store::{alerts, nodes};

/// Linux has room for 108 bytes, the last of which ends the path.
const LONGEST_SOCKET_PATH: usize = 107;

/// What an operator is told whose node is not enabled.
const NEEDS_ADMINISTRATOR: Reason = Reason::NodeWaits;

/// New values for the fields of a node that are to change.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of the same name in `Node`")]
pub struct NodeChange {
    pub name: Option<String>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub certificate_file: Option<String>,
    pub certificate: Option<Vec<u8>>,
    pub macaroon_file: Option<String>,
    pub macaroon: Option<Vec<u8>>,
    pub details_macaroon_file: Option<String>,
    pub payment_macaroon_file: Option<String>,
    pub pays_refunds: Option<bool>,
    pub priority: Option<i64>,
    pub is_enabled: Option<bool>,
    pub allow_spending: Option<bool>,
    pub use_holds: Option<bool>,
    /// Whether a new host or port leads to the same node as before.
    pub has_moved: bool,
}

impl NodeChange {
    /// Whether it is about how the node is reached, with what, and that it is used: what can be tried.
    pub fn is_about_access(&self) -> bool {
        let Self { host, port, certificate_file, certificate, macaroon_file, macaroon, .. } = self;
        let is_credential = [certificate_file, macaroon_file, &self.details_macaroon_file].iter().any(|f| f.is_some())
            || [certificate, macaroon].iter().any(|content| content.is_some());
        let is_switched_on = self.is_enabled == Some(true);
        host.is_some() || port.is_some() || is_credential || self.allow_spending.is_some() || is_switched_on
    }

    /// With what was typed in its one spelling.
    fn normalized(mut self, kind: NodeKind) -> Result<Self, Error> {
        if let Some(host) = self.host.take() {
            let is_socket = kind.is_socket();
            let read = if is_socket { Ok(host.trim().to_owned()) } else { address::host(&host) };
            self.host = Some(read.map_err(|problem| Error::field("host", problem))?);
        }
        self.name = self.name.map(|name| name.trim().to_owned());
        Ok(self)
    }

    /// Writes the new values into `node` and returns what changed. A file replaces stored content
    /// and the other way round; credentials themselves are never named.
    fn apply(mut self, node: &mut Node) -> Vec<String> {
        let before = node.clone();
        if names::is_default(&before.name, &before.host, before.port) {
            let host = self.host.as_deref().unwrap_or(&before.host);
            let name = || names::default(host, self.port.unwrap_or(before.port));
            self.name = self.name.or_else(|| Some(name()));
        }
        if self.certificate_file.is_some() || self.certificate.is_some() {
            (node.certificate_file, node.certificate) = (self.certificate_file, self.certificate);
        }
        if self.macaroon_file.is_some() || self.macaroon.is_some() {
            (node.macaroon_file, node.macaroon) = (self.macaroon_file, self.macaroon);
        }
        if self.details_macaroon_file.is_some() {
            node.details_macaroon_file = self.details_macaroon_file;
        }
        if self.payment_macaroon_file.is_some() {
            // Who gives it wants it used, unless told otherwise.
            self.pays_refunds = self.pays_refunds.or(Some(true));
            node.payment_macaroon_file = self.payment_macaroon_file;
        }
        let mut list = Vec::new();
        macro_rules! set {
            ($($field:ident)*) => {$(
                if let Some(value) = self.$field { node.$field = value; }
                if before.$field != node.$field {
                    list.push(format!("{} {:?}->{:?}", stringify!($field), before.$field, node.$field));
                }
            )*};
        }
        set!(name host port priority is_enabled allow_spending use_holds pays_refunds);
        if (&before.certificate_file, &before.certificate) != (&node.certificate_file, &node.certificate) {
            list.push("certificate replaced".to_owned());
        }
        if (&before.macaroon_file, &before.macaroon) != (&node.macaroon_file, &node.macaroon) {
            list.push("macaroon replaced".to_owned());
        }
        if before.details_macaroon_file != node.details_macaroon_file {
            list.push("macaroon for details replaced".to_owned());
        }
        if before.payment_macaroon_file != node.payment_macaroon_file {
            list.push("payment macaroon replaced".to_owned());
        }
        list
    }
}

/// A node that is to be added, as far as it can be judged without asking it. One of an operator who is no administrator
/// is not enabled, and so nothing connects to it ([`authz::may_choose_addresses`]).
///
/// # Errors
/// [`Error::Invalid`] by field.
pub fn new_node(
    tx: &ReadTx<'_>,
    random: &dyn Random,
    kind: NodeKind,
    change: NodeChange,
    owner: Option<&str>,
) -> Result<Node, Error> {
    let operator_id = manage::owner(tx, owner)?;
    let mut node = empty(NodeId(random.uuid()), operator_id, kind, tx.now);
    refuse_files(tx, kind, &change)?;
    refuse_useless(kind, &change)?;
    let change = change.normalized(kind)?;
    change.apply(&mut node);
    node.is_enabled &= authz::may_choose_addresses(tx.actor);
    if node.name.is_empty() {
        node.name = names::default(&node.host, node.port);
    }
    check(&node)?;
    Ok(node)
}

/// Stores a [`new_node`]. It counts as dead until it was asked for the first time.
///
/// # Errors
/// Those of the database.
pub fn insert(tx: &Tx<'_>, node: &Node) -> Result<(), Error> {
    let db = tx.db;
    nodes::insert(db, node, tx.author())?;
    tx.record("node", node.id, &format!("added: {} {}", node.kind.name(), node.name))?;
    if !authz::may_choose_addresses(tx.actor) {
        tell_that_it_waits(tx, node)?;
    }
    Ok(())
}

/// Nobody looks by chance whether a node waits.
fn tell_that_it_waits(tx: &Tx<'_>, node: &Node) -> Result<(), Error> {
    let text = format!(
        "Lightning node {} of an operator waits for an administrator: before it is enabled, nothing connects to {}.",
        node.name,
        with_port(&node.host, node.port)
    );
    alerts::raise(tx.db, AlertTopic::NodeWaits, &node.id.to_string(), &text, tx.now)?;
    Ok(())
}

/// Adds a node without asking it.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub fn add(
    tx: &Tx<'_>,
    random: &dyn Random,
    kind: NodeKind,
    change: NodeChange,
    owner: Option<&str>,
) -> Result<Node, Error> {
    let node = new_node(tx, random, kind, change, owner)?;
    insert(tx, &node)?;
    Ok(node)
}

/// A node as it would be after a change, and what would change, as far as it can be judged without asking it.
///
/// # Errors
/// As [`set`].
pub fn changed(
    tx: &ReadTx<'_>,
    id: NodeId,
    change: NodeChange,
    owner: Option<&str>,
) -> Result<(Node, Vec<String>), Error> {
    let db = tx.db;
    let mut node = show(tx, id)?;
    refuse_files(tx, node.kind, &change)?;
    refuse_useless(node.kind, &change)?;
    let change = change.normalized(node.kind)?;
    let (place, has_moved) = ((node.host.clone(), node.port), change.has_moved);
    let was_enabled = node.is_enabled;
    let mut changed = change.apply(&mut node);
    let is_elsewhere = place != (node.host.clone(), node.port);
    if !authz::may_choose_addresses(tx.actor) {
        refuse_connections(was_enabled, &node, is_elsewhere)?;
    }
    if is_elsewhere && !(has_moved && authz::may_choose_addresses(tx.actor)) {
        needs_nothing_open(db, id)?;
    }
    if let Some(name) = owner {
        let owner = manage::owner(tx, Some(name))?;
        if owner != node.operator_id {
            changed.push(format!("owner {}->{}", node.operator_id.0, owner.0));
            node.operator_id = owner;
        }
    }
    check(&node)?;
    node.modified_at = tx.now;
    Ok((node, changed))
}

/// Changes a node without asking it, and returns what changed.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] by field; [`Error::Conflict`] for another host or port while
/// invoices could still be paid or a refund's outcome is not known, unless the node itself has moved there.
pub fn set(tx: &Tx<'_>, id: NodeId, change: NodeChange, owner: Option<&str>) -> Result<Vec<String>, Error> {
    let db = tx.db;
    let (node, changed) = changed(tx, id, change, owner)?;
    nodes::update(db, &node, tx.author())?;
    health::forget_unused(db, id, tx.now)?;
    if node.is_enabled {
        alerts::close(db, AlertTopic::NodeWaits, &id.to_string(), tx.now)?;
    }
    for change in &changed {
        tx.record("node", id, change)?;
    }
    Ok(changed)
}

/// The nodes that the one who asks may see, each operator's in the order in which they are tried.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Node>, Error> {
    let db = tx.db;
    Ok(nodes::list(db, authz::visible_owner(tx.actor)?)?)
}

/// A page of [`list`]: the nodes behind the one of this id, so many at most.
pub fn page(tx: &ReadTx<'_>, after: Option<NodeId>, limit: u32) -> Result<Vec<Node>, Error> {
    Ok(nodes::page(tx.db, authz::visible_owner(tx.actor)?, after, limit)?)
}

/// One node.
///
/// # Errors
/// [`Error::NotFound`].
pub fn show(tx: &ReadTx<'_>, id: NodeId) -> Result<Node, Error> {
    let db = tx.db;
    let node = nodes::get(db, id)?.ok_or(Error::NotFound)?;
    authz::needs_owner(tx.actor, node.operator_id)?;
    Ok(node)
}

/// One node that may be asked now.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] while the node of an operator waits for an administrator.
pub fn to_ask(tx: &ReadTx<'_>, id: NodeId) -> Result<Node, Error> {
    let node = show(tx, id)?;
    if node.is_enabled || authz::may_choose_addresses(tx.actor) {
        return Ok(node);
    }
    Err(Error::Conflict(NEEDS_ADMINISTRATOR.into()))
}

/// What is needed to connect to a node.
pub fn spec(node: &Node) -> Spec {
    Spec {
        id: node.id,
        kind: node.kind,
        name: node.name.clone(),
        host: node.host.clone(),
        port: node.port,
        certificate_file: node.certificate_file.clone(),
        certificate: node.certificate.clone(),
        macaroon_file: node.macaroon_file.clone(),
        macaroon: node.macaroon.clone(),
        allow_spending: node.allow_spending,
        details_macaroon_file: node.details_macaroon_file.clone(),
    }
}

/// Removes a node with its credentials; the record stays, since old invoices name it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] while it has invoices that could still be paid, or refunds that it may
/// have paid.
pub fn remove(tx: &Tx<'_>, id: NodeId) -> Result<(), Error> {
    let db = tx.db;
    let node = show(tx, id)?;
    let live = nodes::live_invoices(db, id)?;
    if live > 0 {
        return Err(Error::Conflict(Reason::InvoicesOpen { count: live, node: id }.into()));
    }
    needs_no_open_refund(db, id, BY_HAND)?;
    nodes::remove(db, id, tx.author())?;
    health::forget_unused(db, id, tx.now)?;
    alerts::close(db, AlertTopic::NodeWaits, &id.to_string(), tx.now)?;
    tx.record("node", id, &format!("removed: {}", node.name))
}

/// What an operator who is no administrator may not do to a node: have the shop connect to it, or have it connect
/// elsewhere once it does.
fn refuse_connections(was_enabled: bool, node: &Node, is_elsewhere: bool) -> Result<(), Error> {
    if was_enabled && is_elsewhere {
        return Err(Error::field("host", Reason::OnlyAdministratorMoves));
    }
    if node.is_enabled && !was_enabled { Err(Error::field("is_enabled", NEEDS_ADMINISTRATOR)) } else { Ok(()) }
}

/// Files and sockets are the machine's: an operator who is no administrator could name those of somebody else, and have
/// the shop show what is in them to a node of their own.
fn refuse_files(tx: &ReadTx<'_>, kind: NodeKind, change: &NodeChange) -> Result<(), Error> {
    if authz::needs_administrator(tx.actor).is_ok() {
        return Ok(());
    }
    let given = [
        ("host", kind.is_socket() && change.host.is_some()),
        ("certificate_file", change.certificate_file.is_some()),
        ("macaroon_file", change.macaroon_file.is_some()),
        ("details_macaroon_file", change.details_macaroon_file.is_some()),
        ("payment_macaroon_file", change.payment_macaroon_file.is_some()),
    ];
    let errors: Vec<_> = given
        .iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(field, _)| (*field, vec![Reason::OnlyAdministratorFiles.into()]))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Refuses what a node of this kind has no use for.
fn refuse_useless(kind: NodeKind, change: &NodeChange) -> Result<(), Error> {
    if kind.is_socket() {
        refuse_for_a_socket(change)?;
    }
    if !kind.is_socket() || change.payment_macaroon_file.is_none() {
        return Ok(());
    }
    let text = "Core Lightning has no macaroons: who may use its socket may pay. To let the shop pay refunds from it, say \
                --pays-refunds=true instead.";
    Err(Error::field("payment_macaroon_file", text))
}

/// Core Lightning is reached through a socket: who may open it may do everything.
fn refuse_for_a_socket(change: &NodeChange) -> Result<(), Error> {
    let text = "A Core Lightning node has none of this: it is named by its socket alone (--host), and whoever may open \
                that may use it. For an LND, say --kind lnd_grpc or lnd_rest.";
    let given = [
        ("port", change.port.is_some()),
        ("certificate_file", change.certificate_file.is_some() || change.certificate.is_some()),
        ("macaroon_file", change.macaroon_file.is_some() || change.macaroon.is_some()),
        ("details_macaroon_file", change.details_macaroon_file.is_some()),
    ];
    let errors: Vec<_> =
        given.iter().filter(|(_, is_given)| *is_given).map(|(field, _)| (*field, vec![text.into()])).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

fn check(node: &Node) -> Result<(), Error> {
    let mut errors = Vec::new();
    let mut need = |fits: bool, field, message: &str| {
        if !fits {
            errors.push((field, vec![message.into()]));
        }
    };
    let socket = node.kind.is_socket();
    need(!node.host.trim().is_empty(), "host", "Say where the node is.");
    need(!socket || node.host.starts_with('/'), "host", "A Core Lightning node is named by its socket's full path.");
    let long = "The path of a socket has at most 107 bytes on Linux. Name a shorter one: a symbolic link to the socket's \
                folder will do.";
    need(!socket || node.host.len() <= LONGEST_SOCKET_PATH, "host", long);
    let bare = !node.host.contains('/') && node.host.matches(':').count() != 1;
    let hint = "Leave out the scheme (https://), the path and the port (--port): only a host name or IP address.";
    need(socket || bare, "host", hint);
    need(socket || node.port > 0, "port", "A port is a number from 1 to 65535.");
    let macaroon = node.macaroon_file.is_some() || node.macaroon.is_some();
    need(socket || macaroon, "macaroon_file", "The shop needs the node's macaroon for invoices (invoice.macaroon).");
    let can_pay = node.can_refund();
    let hint = format!(
        "An LND pays refunds with a macaroon of its own for that: make one with `{PAYMENT_BAKE_COMMAND}`, and name it with \
         --payment-macaroon-file FILE."
    );
    need(can_pay || !node.pays_refunds, "pays_refunds", &hint);
    need(is_plain_name(&node.host), "host", NOT_PLAIN);
    need(is_plain_name(&node.name), "name", NOT_PLAIN);
    need(node.name.chars().count() <= 100, "name", "Ensure this field has no more than 100 characters.");
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// A node of a kind with nothing said about it yet.
pub(in crate::services) fn empty(
    id: NodeId,
    operator_id: crate::domain::id::OperatorId,
    kind: NodeKind,
    now: Timestamp,
) -> Node {
    Node {
        id,
        operator_id,
        kind,
        name: String::new(),
        host: String::new(),
        port: kind.default_port(),
        certificate_file: None,
        certificate: None,
        macaroon_file: None,
        macaroon: None,
        details_macaroon_file: None,
        payment_macaroon_file: None,
        pays_refunds: false,
        priority: 0,
        is_enabled: true,
        allow_spending: false,
        use_holds: true,
        is_alive: false,
        checked_at: None,
        last_error: None,
        network: None,
        pubkey: None,
        info: None,
        clock_note: None,
        settle_index: 0,
        created_at: now,
        modified_at: now,
    }
}

#[cfg(test)]
mod tests;
