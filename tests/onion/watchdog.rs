//! The watchdog notices that the address does not answer, and heals it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ip2tor_shop::domain::time::{Clock, ManualClock, Timestamp};
use ip2tor_shop::onion::self_check::{Rhythm, SelfCheck};
use ip2tor_shop::onion::watchdog::{Action, Alert, Patience, Reachability};
use ip2tor_shop::onion::{Dialer, Isolation, OnionConfig, Tor};

use crate::shop::{connect, fetch, serve, settings, until};
use crate::tor_network::TorNetwork;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_taken_down_is_noticed_and_healed() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tor = Tor::new(settings(network, dir.path())).unwrap();
    let service = tor.launch("shop", 80, None).unwrap();
    let (address, handle) = (service.address().to_owned(), service.handle());

    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let alerts = Arc::new(Mutex::new(Vec::new()));
    let heard = alerts.clone();
    let rhythm = Rhythm {
        interval: Duration::from_millis(300),
        retry: Duration::from_millis(300),
        limit: Duration::from_secs(30),
        patience: Patience::default(),
    };
    let check = SelfCheck::start(tor.clone(), &service, rhythm, clock.clone(), move |alert| {
        heard.lock().unwrap().push(alert);
    });
    let _server = serve(service);
    let health = check.health();
    let found = |wanted: Reachability| health.borrow().reachability == wanted;
    until("the address answers", async || found(Reachability::Reachable)).await;
    assert_eq!(health.borrow().last_success, Some(clock.now()));

    handle.take_down();
    until("the outage is noticed", async || found(Reachability::Unreachable)).await;
    assert!(health.borrow().reason.is_some());
    clock.advance_secs(Patience::default().restart_service);
    until("the address answers again", async || found(Reachability::Reachable)).await;
    assert_eq!(fetch(&tor, &address, "/healthz").await, "ok");

    let alerts = alerts.lock().unwrap().clone();
    assert!(
        matches!(
            alerts.as_slice(),
            [
                Alert::Online { .. },
                Alert::Unreachable { action: Action::RestartService, .. },
                Alert::Recovered { seconds: 300 }
            ]
        ),
        "{alerts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_others_fill_is_busy_and_left_alone() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tor = Tor::new(OnionConfig { max_circuits: 2, ..settings(network, dir.path()) }).unwrap();
    let service = tor.launch("shop", 80, None).unwrap();
    let address = service.address().to_owned();

    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let alerts = Arc::new(Mutex::new(Vec::new()));
    let heard = alerts.clone();
    let rhythm = Rhythm {
        interval: Duration::from_secs(5),
        retry: Duration::from_millis(300),
        limit: Duration::from_secs(10),
        patience: Patience::default(),
    };
    let check = SelfCheck::start(tor.clone(), &service, rhythm, clock.clone(), move |alert| {
        heard.lock().unwrap().push(alert);
    });
    let _server = serve(service);
    let mut health = check.health();
    until("the address answers", async || check.health().borrow().reachability == Reachability::Reachable).await;

    let dialer = Dialer::Arti(tor.clone());
    let held = (connect(&dialer, &address, Isolation::fresh).await, connect(&dialer, &address, Isolation::fresh).await);
    until("there is no room", async || check.health().borrow().reachability == Reachability::Busy).await;
    clock.advance_secs(10 * Patience::default().restart_service);
    health.mark_unchanged();
    health.changed().await.unwrap();
    assert_eq!(health.borrow().reachability, Reachability::Busy);
    drop(held);
    until("there is room again", async || check.health().borrow().reachability == Reachability::Reachable).await;
    let alerts = alerts.lock().unwrap().clone();
    assert!(matches!(alerts.as_slice(), [Alert::Online { .. }]), "{alerts:?}");
}
