//! What may be wrong with an installation, told in one line each.

use std::path::Path;

use super::clock::ADVICE;
use super::operators::manage;
use super::{Error, ReadTx, Settings, authz, hosts, nodes};
use crate::domain::alert::AlertTopic;
use crate::domain::host::Host;
use crate::domain::lightning::Network;
use crate::domain::node::Node;
use crate::store::{Connection, Db, alerts, backup, meta, schema};

/// With less room than this a backup or a busy day may not fit any more. Bytes.
const MIN_FREE_BYTES: u64 = 200 << 20;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// As it should be.
    Good,
    /// It works, but the operator should know.
    Notice,
    /// The shop can't do its work like this.
    Bad,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    /// How bad it is.
    pub grade: Grade,
    /// What was found, and what to do.
    pub text: String,
}

impl Finding {
    /// A finding.
    pub fn new(about: &'static str, grade: Grade, text: impl Into<String>) -> Self {
        Self { about, grade, text: text.into() }
    }
}

/// Looks at everything in the database.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator, and those of the database.
pub fn examine(tx: &ReadTx<'_>, settings: &Settings) -> Result<Vec<Finding>, Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    let hosts = hosts(tx, settings)?;
    let (stuck, unswept) = (stuck(tx)?, unswept(tx)?);
    let mut findings = vec![database(db)?, clock(tx)?, people(tx)?, hosts];
    findings.extend([stuck, unswept, copies(db)?].into_iter().flatten());
    findings.push(nodes(tx)?);
    findings.extend(node_clocks(tx)?);
    findings.extend(plain_nodes(tx)?);
    findings.push(open_alerts(db)?);
    Ok(findings)
}

/// Ports and names that no host gives back.
fn stuck(tx: &ReadTx<'_>) -> Result<Option<Finding>, Error> {
    let stuck = hosts::watch::stuck(tx.db, tx.now)?;
    let Some(first) = stuck.first() else { return Ok(None) };
    let text = format!(
        "{} products are to be taken down for more than an hour, and their hosts, which check in, do not say that they \
         are: `bridge list --status S`; once a host is seen not to have one, `bridge release {}`",
        stuck.len(),
        first.id
    );
    Ok(Some(Finding::new("suspensions", Grade::Notice, text)))
}

/// Hosts that may have forwards which are not in the database.
fn unswept(tx: &ReadTx<'_>) -> Result<Option<Finding>, Error> {
    let hosts = hosts::manage::list(tx)?;
    let unswept: Vec<_> = hosts.iter().filter(|view| view.host.unswept_since.is_some()).collect();
    let Some(first) = unswept.first() else { return Ok(None) };
    let names: Vec<_> = unswept.iter().map(|view| view.host.name.as_str()).collect();
    let aside: usize = unswept.iter().map(|view| view.set_aside.len()).sum();
    let text = format!(
        "not swept since a restore: {} ({aside} ports set aside). Remove the forwards that `bridge list` does not know, \
         then `host set {} --swept`",
        names.join(", "),
        first.host.id
    );
    Ok(Some(Finding::new("sweep", Grade::Notice, text)))
}

/// Whether the database came back from a copy, or is not alone.
fn copies(db: &Connection) -> Result<Option<Finding>, Error> {
    let told = [
        (AlertTopic::SecondCopy, Grade::Bad, "a second copy of this shop is alive: end one of the two for good"),
        (AlertTopic::DatabaseOlder, Grade::Notice, "the database came back from a copy that lacks orders"),
    ];
    for (topic, grade, text) in told {
        if alerts::any_open(db, topic)? {
            return Ok(Some(Finding::new("copies", grade, format!("{text} (see `alerts`, and close it after that)"))));
        }
    }
    Ok(None)
}

/// Tries whether the disk takes a change; the change is rolled back.
pub fn storage(db: &Db) -> Finding {
    let attempt = db.write_blocking(|db| {
        meta::set_text(db, "doctor", "")?;
        Err::<(), _>(Error::NotFound)
    });
    match attempt {
        Ok(()) | Err(Error::NotFound) => Finding::new("storage", Grade::Good, db.path().display().to_string()),
        Err(error) => Finding::new("storage", Grade::Bad, format!("can't be written: {error}")),
    }
}

/// How much room the disk of the data folder has.
pub fn disk(data_dir: &Path) -> Finding {
    match rustix::fs::statvfs(data_dir) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::new("disk", Grade::Notice, format!("its room is unknown: {error}")),
    }
}

fn room(bytes: u64) -> Finding {
    let free = format!("{} MiB free", bytes >> 20);
    if bytes < MIN_FREE_BYTES {
        let advice = format!("{free}: make room; when the disk is full nothing is sold");
        return Finding::new("disk", Grade::Notice, advice);
    }
    Finding::new("disk", Grade::Good, free)
}

fn database(db: &Connection) -> Result<Finding, Error> {
    if !meta::has_secret_for_its_orders(db)? {
        return Ok(Finding::new("database", Grade::Bad, super::shop::SECRET_LOST));
    }
    Ok(match backup::damage(db)? {
        None => match schema::foreign(db, None).map_err(Error::from)? {
            None => Finding::new("database", Grade::Good, "whole"),
            Some(foreign) => {
                let text = format!("{foreign}: undo that, or its backups can't be restored");
                Finding::new("database", Grade::Notice, text)
            }
        },
        Some(damage) => Finding::new("database", Grade::Bad, format!("damaged ({damage}): restore a backup")),
    })
}

fn clock(tx: &ReadTx<'_>) -> Result<Finding, Error> {
    let reading = super::clock::read(tx.db, tx.now)?;
    Ok(match reading.newest.filter(|_| reading.is_behind) {
        None => Finding::new("clock", Grade::Good, tx.now.to_wire()),
        Some(newest) => {
            let text = format!("{} is before {newest}, when the shop has run; nothing expires. {ADVICE}", tx.now);
            Finding::new("clock", Grade::Bad, text)
        }
    })
}

fn people(tx: &ReadTx<'_>) -> Result<Finding, Error> {
    Ok(match manage::list(tx)?.len() {
        0 => Finding::new("operators", Grade::Bad, "none: `operator add NAME --role administrator`"),
        count => Finding::new("operators", Grade::Good, count.to_string()),
    })
}

fn hosts(tx: &ReadTx<'_>, settings: &Settings) -> Result<Finding, Error> {
    let (hosts, nodes) = (hosts::manage::list(tx)?, nodes::manage::list(tx)?);
    let enabled: Vec<_> = hosts.iter().map(|view| &view.host).filter(|host| host.is_enabled).collect();
    let names = |hosts: Vec<&Host>| hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ");
    let dead: Vec<_> = enabled.iter().copied().filter(|host| !host.is_alive(tx.now)).collect();
    // Without any node the finding about nodes says it.
    let has_nodes = nodes.iter().any(|node| node.is_enabled);
    let unpaid = |host: &&Host| has_nodes && !nodes.iter().any(|node| may_sell_for(node, host, settings));
    let unpaid: Vec<_> = enabled.iter().copied().filter(unpaid).collect();
    let grade = match (enabled.len(), dead.len(), unpaid.len()) {
        (0, ..) => return Ok(Finding::new("hosts", Grade::Notice, "none is enabled: there is nothing to sell")),
        (count, 0, 0) => return Ok(Finding::new("hosts", Grade::Good, format!("{count}, all checking in"))),
        (count, _, unpaid) if count == unpaid => Grade::Bad,
        _ => Grade::Notice,
    };
    let mut parts = Vec::new();
    if !dead.is_empty() {
        parts.push(format!("not checking in: {}", names(dead)));
    }
    if !unpaid.is_empty() {
        let advice = "their operator has no enabled node on a network that they sell for (`host set --is-testnet`, \
                      `node list`)";
        parts.push(format!("can't be paid: {} ({advice})", names(unpaid)));
    }
    Ok(Finding::new("hosts", grade, parts.join("; ")))
}

/// Whether a node may make a host's invoices, whether it is alive or not. One that was not asked yet may.
fn may_sell_for(node: &Node, host: &Host, settings: &Settings) -> bool {
    let network = node.network.as_deref().and_then(Network::parse);
    let fits = network.is_none() || settings.network_fits(network, host.is_testnet);
    node.is_enabled && node.operator_id == host.owner_id && fits
}

fn nodes(tx: &ReadTx<'_>) -> Result<Finding, Error> {
    let nodes = nodes::manage::list(tx)?;
    let enabled: Vec<_> = nodes.iter().filter(|node| node.is_enabled).collect();
    let dead = enabled.iter().filter(|node| !node.is_alive || node.last_error.is_some());
    let problem = |node: &&Node| {
        format!("{} ({})", node.name, node.last_error.as_deref().unwrap_or("not asked yet: `node check`"))
    };
    let problems: Vec<_> = dead.map(problem).collect();
    Ok(match (enabled.len(), problems.len()) {
        (0, _) => Finding::new("nodes", Grade::Bad, "none is enabled: nobody can pay"),
        (count, 0) => Finding::new("nodes", Grade::Good, format!("{count}, all answered when last asked")),
        (count, bad) => {
            let grade = if bad < count { Grade::Notice } else { Grade::Bad };
            Finding::new("nodes", grade, format!("not usable: {}", problems.join(", ")))
        }
    })
}

/// Enabled nodes that have another time than this machine.
fn node_clocks(tx: &ReadTx<'_>) -> Result<Option<Finding>, Error> {
    let nodes = nodes::manage::list(tx)?;
    let notes: Vec<_> = nodes.into_iter().filter(|node| node.is_enabled).filter_map(|node| node.clock_note).collect();
    Ok((!notes.is_empty()).then(|| Finding::new("clocks of nodes", Grade::Notice, notes.join("; "))))
}

/// Enabled nodes that should hold payments and can't.
fn plain_nodes(tx: &ReadTx<'_>) -> Result<Option<Finding>, Error> {
    let nodes = nodes::manage::list(tx)?;
    let told: Vec<_> = nodes.iter().filter(|node| node.is_enabled && node.use_holds).filter_map(cannot_hold).collect();
    let advice = "these nodes make plain invoices: buyers pay before the host has delivered";
    let text = || format!("{advice}: {}", told.join("; "));
    Ok((!told.is_empty()).then(|| Finding::new("held payments", Grade::Notice, text())))
}

fn cannot_hold(node: &Node) -> Option<String> {
    let info: serde_json::Value = serde_json::from_str(node.info.as_deref()?).ok()?;
    Some(format!("{} ({})", node.name, info["cannot_hold"].as_str()?))
}

fn open_alerts(db: &Connection) -> Result<Finding, Error> {
    Ok(match alerts::list(db, false)?.len() {
        0 => Finding::new("alerts", Grade::Good, "none"),
        count => Finding::new("alerts", Grade::Notice, format!("{count} open: see `alerts`")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Session;
    use super::super::test_support::{administrator, database as new_database, host, operator};
    use super::*;
    use crate::store::StoreError;

    fn grades(db: &crate::store::Db, session: &Session) -> Vec<(&'static str, Grade)> {
        let findings = session.read(db, |tx| examine(tx, &Settings::default())).unwrap();
        findings.into_iter().map(|finding| (finding.about, finding.grade)).collect()
    }

    #[test]
    fn an_empty_shop_lacks_people_hosts_and_nodes() {
        let (_dir, db) = new_database();
        let found = grades(&db, &administrator());
        let expected = [
            ("database", Grade::Good),
            ("clock", Grade::Good),
            ("operators", Grade::Bad),
            ("hosts", Grade::Notice),
            ("nodes", Grade::Bad),
            ("alerts", Grade::Good),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_host_without_a_node_that_may_sell_for_it_is_bad_even_when_all_nodes_are_alive() {
        let (_dir, db) = new_database();
        operator(&db, "anna");
        host(&db, "anna", "192.0.2.1", &[]);
        let hosts_with = |change: &'static str| {
            let change = |db: &Connection| Ok::<_, Error>(db.execute(change, []).map_err(StoreError::from)?);
            db.write_blocking(change).unwrap();
            let findings = administrator().read(&db, |tx| examine(tx, &Settings::default())).unwrap();
            let found = findings.into_iter().find(|finding| finding.about == "hosts").unwrap();
            (found.grade, found.text.contains("can't be paid: host1"))
        };
        let add = "INSERT INTO node (id, operator_id, kind, name, host, port, macaroon_file, is_alive, network, \
            created_at, modified_at) SELECT x'11111111111111111111111111111111', id, 'lnd_grpc', 'n', 'n', 1, 'm', 1, 'testnet', 0, 0 FROM operator";
        assert_eq!(hosts_with("UPDATE host SET ci_status = 0"), (Grade::Notice, false), "there are no nodes at all");
        assert_eq!(hosts_with(add), (Grade::Bad, true));
        assert_eq!(hosts_with("UPDATE node SET network = NULL"), (Grade::Notice, false));
        assert_eq!(hosts_with("UPDATE node SET network = 'mainnet'"), (Grade::Notice, false));
        assert_eq!(hosts_with("UPDATE host SET is_testnet = 1"), (Grade::Bad, true));
    }

    #[test]
    fn little_room_on_the_disk_is_noticed() {
        assert_eq!(room(MIN_FREE_BYTES), Finding::new("disk", Grade::Good, "200 MiB free"));
        assert_eq!(room(MIN_FREE_BYTES - 1).grade, Grade::Notice);
        assert_ne!(disk(Path::new("/")).text, disk(Path::new("/no/such/folder")).text);
    }

    #[test]
    fn a_clock_before_the_newest_time_is_bad() {
        let (_dir, db) = new_database();
        operator(&db, "anna");
        host(&db, "anna", "192.0.2.1", &[]);
        let session = administrator();
        let note = |later| {
            let note: Result<(), Error> = db.write_blocking(move |db| Ok(meta::note_last_time(db, later)?));
            note.unwrap();
        };
        note(session.now.plus_secs(5));
        assert!(grades(&db, &session).contains(&("clock", Grade::Good)), "corrected by a little");
        note(session.now.plus_secs(61));
        assert!(grades(&db, &session).contains(&("clock", Grade::Bad)));
        assert!(grades(&db, &session).contains(&("hosts", Grade::Notice)), "it never checked in");
    }
}
