//! Whose channels tell of what, and who finds them.

use super::super::test_support::{administrator, database, host, operator};
use super::super::{Session, alert_messages};
use super::*;
use crate::domain::alert::{AlertTopic, Severity};
use crate::domain::alert_channel::{ChannelKind, QuietRule};
use crate::domain::id::SystemRandom;
use crate::services::alert_messages::{Rules, Waiting};
use crate::store::{Db, alerts};

const AT_ONCE: Rules = Rules { group_secs: 0, quiet: None };

/// Two operators, each with a host and a channel; what the first may do, their host, and their channel.
struct World {
    _dir: tempfile::TempDir,
    db: Db,
    anna: Session,
    hosts: [String; 2],
    channels: [String; 2],
}

fn own(db: &Db, owner: OperatorId, quiet: Option<QuietRule>) -> String {
    let secret = Some("hunter2".to_owned());
    let channel = OwnChannel { kind: ChannelKind::Ntfy, target: "https://a.example".to_owned(), secret, token: None };
    let rules = ChannelRules { severity: Severity::Info, quiet };
    administrator().write(db, move |tx| add(tx, owner, &channel, rules)).unwrap().name
}

fn world() -> World {
    let (dir, db) = database();
    let (anna, otto) = (operator(&db, "anna"), operator(&db, "otto"));
    let hosts = [("anna", "192.0.2.1"), ("otto", "192.0.2.2")].map(|(owner, ip)| host(&db, owner, ip, &[(1, 9)]).0);
    let channels = [anna, otto].map(|owner| own(&db, owner, None));
    let session = Session { by: Principal::Operator(anna, "anna".to_owned()), ..administrator() };
    World { _dir: dir, db, anna: session, hosts: hosts.map(|id| id.to_string()), channels }
}

impl World {
    fn raise(&self, topic: AlertTopic, subject: &str) {
        let subject = subject.to_owned();
        let raise = move |tx: &mut Tx<'_>| Ok(alerts::raise(tx.db, topic, &subject, "says", tx.now).map(drop)?);
        administrator().write(&self.db, raise).unwrap();
    }

    fn close(&self, topic: AlertTopic, subject: &str) {
        let subject = subject.to_owned();
        administrator().write(&self.db, move |tx| Ok(alerts::close(tx.db, topic, &subject, tx.now)?)).unwrap();
    }

    /// What a channel is to send now, as whoever sends finds it.
    fn next(&self, channel: &str) -> Option<Waiting> {
        let (name, session) = (channel.to_owned(), Session::of_the_shop(administrator().now));
        let step = move |tx: &mut Tx<'_>| {
            alert_messages::sort(tx, &name)?;
            let served = alert_messages::served(tx, AT_ONCE)?.into_iter().find(|served| served.name == name);
            served.map_or(Ok(()), |served| alert_messages::group(tx, &name, served.rules, &SystemRandom))
        };
        session.write(&self.db, step).unwrap();
        session.read(&self.db, |tx| alert_messages::due(tx, channel)).unwrap()
    }

    fn sent(&self, channel: &str, waiting: Waiting) {
        let name = channel.to_owned();
        administrator().write(&self.db, move |tx| alert_messages::note(tx, &name, &waiting, &Ok(()))).unwrap();
    }
}

#[test]
fn what_concerns_an_operator_is_told_to_them_when_it_opens_and_when_it_ends_and_nothing_else_is() {
    let world = world();
    let [annas, ottos] = &world.channels;
    world.raise(AlertTopic::HostDead, &world.hosts[0]);
    for (topic, subject) in [(AlertTopic::Storage, ""), (AlertTopic::Defect, "x"), (AlertTopic::UnknownPayment, "x")] {
        world.raise(topic, subject);
    }
    let told = world.next(annas).unwrap();
    assert!(told.message.title.ends_with("host_dead (warning)"), "{told:?}");
    world.sent(annas, told);
    assert_eq!(world.next(ottos), None);
    world.close(AlertTopic::HostDead, &world.hosts[0]);
    assert!(world.next(annas).unwrap().message.title.ends_with("host_dead (over)"));
    let states = world.anna.read(&world.db, list).unwrap();
    assert!(states.len() == 1 && states[0].sent_at.is_some(), "{states:?}");
}

#[test]
fn what_concerns_others_takes_no_room_and_is_not_counted() {
    let world = world();
    let flood = |tx: &mut Tx<'_>| {
        (0..450)
            .try_for_each(|n| Ok(alerts::raise(tx.db, AlertTopic::FewPorts, &n.to_string(), "x", tx.now).map(drop)?))
    };
    administrator().write(&world.db, flood).unwrap();
    world.raise(AlertTopic::HostDead, &world.hosts[0]);
    let told = world.next(&world.channels[0]).unwrap().message;
    assert!(told.title.ends_with("host_dead (warning)") && !told.text.contains("more"), "{told:?}");
    let left = |db: &crate::store::Connection| {
        Ok::<i64, Error>(db.query_row("SELECT count(*) FROM alert_news", [], |row| row.get(0)).unwrap())
    };
    assert_eq!(world.next(&world.channels[1]), None);
    assert_eq!(world.db.read(left).unwrap(), 0);
}

#[test]
fn quiet_hours_are_those_of_the_owner() {
    let world = world();
    let anna = world.anna.read(&world.db, list).unwrap()[0].own.as_ref().unwrap().owner;
    // The tests' time is 08:00 UTC.
    let quiet = own(&world.db, anna, QuietRule::parse("07:00-09:00"));
    world.raise(AlertTopic::HostDead, &world.hosts[0]);
    assert_eq!(world.next(&quiet), None);
    assert!(world.next(&world.channels[0]).is_some());
    world.raise(AlertTopic::NoInvoices, &world.hosts[0]);
    assert!(world.next(&quiet).unwrap().message.title.ends_with("no_invoices (critical)"));
}

#[test]
fn that_an_own_channel_fails_is_told_to_its_owner_by_another_of_theirs() {
    let world = world();
    let anna = world.anna.read(&world.db, list).unwrap()[0].own.as_ref().unwrap().owner;
    let second = own(&world.db, anna, None);
    world.raise(AlertTopic::Undelivered, &second);
    assert!(world.next(&world.channels[0]).is_some());
    assert_eq!((world.next(&second), world.next(&world.channels[1])), (None, None));
}

#[test]
fn who_may_not_sign_in_is_told_nothing() {
    let world = world();
    let anna = world.anna.read(&world.db, list).unwrap()[0].own.as_ref().unwrap().owner;
    world.raise(AlertTopic::FewPorts, &world.hosts[0]);
    let disable = move |tx: &mut Tx<'_>| operators::set_enabled(tx.db, anna, false, tx.author()).map_err(Error::from);
    administrator().write(&world.db, disable).unwrap();
    world.raise(AlertTopic::HostDead, &world.hosts[0]);
    assert_eq!(world.next(&world.channels[0]), None);
    let served = administrator().read(&world.db, |tx| alert_messages::served(tx, AT_ONCE)).unwrap();
    assert_eq!(served.iter().map(|served| &served.name).collect::<Vec<_>>(), [&world.channels[1]]);
}

#[test]
fn operators_find_and_remove_their_own_channels_alone_and_have_no_more_than_five() {
    let world = world();
    let [annas, ottos] = world.channels.clone();
    let (found, other) = (world.anna.read(&world.db, |tx| find(tx, &annas)), ottos.clone());
    assert!(found.is_ok());
    assert_eq!(world.anna.read(&world.db, |tx| find(tx, &ottos)), Err(Error::NotFound));
    assert_eq!(world.anna.write(&world.db, move |tx| remove(tx, &other)), Err(Error::NotFound));
    let owner = found.unwrap().own.unwrap().owner;
    for _ in 1..MOST {
        own(&world.db, owner, None);
    }
    let rules = ChannelRules { severity: Severity::Info, quiet: None };
    let channel = |tx: &ReadTx<'_>| Ok(find(tx, &annas)?.own.unwrap().channel);
    let channel = world.anna.read(&world.db, channel).unwrap();
    let one_more = world.anna.write(&world.db, move |tx| add(tx, owner, &channel, rules));
    assert!(matches!(one_more, Err(Error::Conflict(_))), "{one_more:?}");
    world.raise(AlertTopic::HostDead, &world.hosts[0]);
    let name = world.channels[0].clone();
    world.anna.write(&world.db, move |tx| remove(tx, &name)).unwrap();
    assert_eq!(world.anna.read(&world.db, list).unwrap().len(), MOST - 1);
}

#[test]
fn channels_of_operators_outlast_a_change_of_the_configuration() {
    let world = world();
    administrator().write(&world.db, |tx| alert_messages::set_channels(tx, &[("email", Severity::Info)])).unwrap();
    administrator().write(&world.db, |tx| alert_messages::set_channels(tx, &[])).unwrap();
    let names: Vec<_> = administrator().read(&world.db, list).unwrap().into_iter().map(|state| state.name).collect();
    assert_eq!(names, world.channels);
    let shown = format!("{:?}", administrator().read(&world.db, list).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}
