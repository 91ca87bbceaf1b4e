//! A node whose clock is not ours.

use ip2tor_lnd_simulator::State;
use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::services::{Session, doctor};

use crate::money::rig::{Rig, Setup};

const ALERTS: &str = "SELECT count(*) FROM alert WHERE topic = 'clocks_apart' AND closed_at IS NULL";

impl Rig {
    fn clock_alert(&self) -> String {
        let text = "SELECT text FROM alert WHERE topic = 'clocks_apart' ORDER BY id DESC LIMIT 1";
        let read = |db: &rusqlite::Connection| db.query_row(text, [], |row| row.get(0));
        read(&rusqlite::Connection::open(self.shop.db.path()).expect("the database")).expect("an alert")
    }

    fn doctors_line(&self) -> Option<String> {
        let session = Session::on_command_line(self.now());
        let findings = session.read(&self.shop.db, |tx| doctor::examine(tx, &self.shop.settings)).expect("findings");
        findings.into_iter().find(|finding| finding.about == "clocks of nodes").map(|finding| finding.text)
    }

    async fn refused(&self) -> OrderId {
        let order = self.order().await.expect("the order is accepted");
        self.wait_order(order, "R").await;
        order
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_with_a_slow_clock_makes_is_not_sold_since_nobody_could_pay_it() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().node().set_clock_ahead(-3600);
    let order = rig.refused().await;
    rig.wait_until("it is cancelled at the node", || rig.at_node(order) == Some(State::Canceled)).await;
    assert_eq!((rig.count(ALERTS), rig.count("SELECT count(*) FROM port")), (1, 0));
    let (alert, line) = (rig.clock_alert(), rig.doctors_line().expect("a line"));
    let (ours, theirs) = (rig.now().to_wire(), rig.now().plus_secs(-3600).to_wire());
    for text in [&alert, &line] {
        assert!(text.contains(&ours) && text.contains(&theirs), "both times are told: {text}");
        assert!(text.contains("certificate") && text.contains("timedatectl"), "{text}");
    }
    // Once the clock is right, all of it is over with the next order.
    rig.sim().node().set_clock_ahead(0);
    rig.active_bridge().await;
    assert_eq!((rig.count(ALERTS), rig.doctors_line()), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_the_right_time_takes_over_and_is_heard_as_a_witness() {
    let rig = Rig::new(Setup::two_nodes()).await;
    rig.sim().node().set_clock_ahead(-3600);
    for _ in 0..2 {
        let (order, _) = rig.ordered().await;
        assert_eq!(rig.view(order).purchase.invoice.node_id, rig.spare().node);
    }
    let alert = rig.clock_alert();
    assert!(alert.contains("1 other node agrees with this machine"), "{alert}");
    assert!(alert.contains("Set the clock of lnd's machine"), "{alert}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_leaves_enough_time_to_pay_is_told_and_sold_with() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().node().set_clock_ahead(-300);
    rig.active_bridge().await;
    assert_eq!(rig.count(ALERTS), 1);
    assert!(rig.clock_alert().contains("5 minutes behind"), "{}", rig.clock_alert());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_from_the_future_ends_when_ours_would_so_that_its_port_is_not_kept() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().node().set_clock_ahead(30 * 86_400);
    let (order, _) = rig.ordered().await;
    let expires_at: Option<Timestamp> = rig.view(order).purchase.invoice.expires_at;
    assert_eq!(expires_at, Some(rig.now().plus_secs(900)));
    assert_eq!(rig.count(ALERTS), 1);
}
