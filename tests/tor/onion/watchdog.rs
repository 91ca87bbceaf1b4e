//! The watchdog notices that the address does not answer, and heals it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ip2tor_shop::domain::time::{Clock, ManualClock, Timestamp};
use ip2tor_shop::onion::self_check::{Rhythm, SelfCheck};
use ip2tor_shop::onion::watchdog::{Action, Alert, Patience, Reachability};
use ip2tor_shop::onion::{Dialer, Isolation, OnionConfig, OnionService, Tor};

use crate::onion::shop::{connect, fetch, serve, settings, until};
use crate::tor_network::TorNetwork;

/// A watchdog with a clock of its own and what it tells.
struct Watched {
    check: SelfCheck,
    clock: Arc<ManualClock>,
    alerts: Arc<Mutex<Vec<Alert>>>,
}

impl Watched {
    fn start(tor: &Tor, service: &OnionService, interval: Duration, limit: Duration) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
        let alerts = Arc::new(Mutex::new(Vec::new()));
        let heard = alerts.clone();
        let rhythm = Rhythm { interval, retry: Duration::from_millis(300), limit, patience: Patience::default() };
        let check = SelfCheck::start(tor.clone(), service, rhythm, clock.clone(), move |alert| {
            heard.lock().unwrap().push(alert);
        });
        Self { check, clock, alerts }
    }

    async fn until(&self, what: &str, wanted: Reachability) {
        until(what, async || self.check.health().borrow().reachability == wanted).await;
    }

    fn alerts(&self) -> Vec<Alert> {
        self.alerts.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_taken_down_is_noticed_and_healed() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tor = Tor::new(settings(network, dir.path())).unwrap();
    let service = tor.launch("shop", 80, None).unwrap();
    let (address, handle) = (service.address().to_owned(), service.handle());

    let watched = Watched::start(&tor, &service, Duration::from_millis(300), Duration::from_secs(30));
    let _server = serve(service);
    let health = watched.check.health();
    watched.until("the address answers", Reachability::Reachable).await;
    assert_eq!(health.borrow().last_success, Some(watched.clock.now()));

    handle.take_down();
    watched.until("the outage is noticed", Reachability::Unreachable).await;
    assert!(health.borrow().reason.is_some());
    watched.clock.advance_secs(Patience::default().restart_service);
    watched.until("the address answers again", Reachability::Reachable).await;
    assert_eq!(fetch(&tor, &address, "/healthz").await, "ok");

    let alerts = watched.alerts();
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

    let watched = Watched::start(&tor, &service, Duration::from_secs(5), Duration::from_secs(10));
    let _server = serve(service);
    let mut health = watched.check.health();
    watched.until("the address answers", Reachability::Reachable).await;

    let dialer = Dialer::Arti(tor.clone());
    let held = (connect(&dialer, &address, Isolation::fresh).await, connect(&dialer, &address, Isolation::fresh).await);
    watched.until("there is no room", Reachability::Busy).await;
    watched.clock.advance_secs(10 * Patience::default().restart_service);
    health.mark_unchanged();
    health.changed().await.unwrap();
    assert_eq!(health.borrow().reachability, Reachability::Busy);
    drop(held);
    watched.until("there is room again", Reachability::Reachable).await;
    let alerts = watched.alerts();
    assert!(matches!(alerts.as_slice(), [Alert::Online { .. }]), "{alerts:?}");
}
