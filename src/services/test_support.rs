//! What the tests of the services share: a database, people and a host.

use std::path::Path;
use std::sync::Arc;

use super::hosts::manage::NewHost;
use super::{Session, Settings, Shop, hosts, operators};
use crate::domain::host::PortKind;
use crate::domain::host_rules::HostChange;
use crate::domain::id::{HostId, OperatorId, SystemRandom};
use crate::domain::operator::Role;
use crate::domain::time::{SystemClock, Timestamp};
use crate::store::Db;

/// A new database in a folder of its own.
pub fn database() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("shop.sqlite3")).unwrap();
    (dir, db)
}

/// A session on the command line.
pub fn administrator() -> Session {
    Session::on_command_line(Timestamp::from_secs(1_800_000_000))
}

/// Adds an operator.
pub fn operator(db: &Db, name: &'static str) -> OperatorId {
    let session = administrator();
    session.write(db, move |tx| operators::manage::add(tx, name, Role::Operator, "hash")).unwrap()
}

/// A host at `ip` with ports for bridges, not stored yet.
pub fn new_host(ip: &str, ranges: &[(u16, u16)]) -> NewHost {
    let change = HostChange { ip: Some(ip.to_owned()), name: Some("host1".to_owned()), ..HostChange::default() };
    let ranges = ranges.iter().map(|&(first, last)| (PortKind::TorBridge, first, last)).collect();
    NewHost { change, ranges, ..NewHost::default() }
}

/// Adds a host for `owner` and returns its id and token.
pub fn host(db: &Db, owner: &'static str, ip: &str, ranges: &[(u16, u16)]) -> (HostId, String) {
    let new = NewHost { owner: Some(owner.to_owned()), ..new_host(ip, ranges) };
    let session = administrator();
    let added = session.write(db, move |tx| hosts::manage::add(tx, &SystemRandom, new)).unwrap();
    (added.host.id, added.token)
}

/// A shop on the database in a file, with the machine's own clock.
pub fn shop_in(database: &Path) -> Shop {
    let db = Db::open(database).unwrap();
    Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap()
}
