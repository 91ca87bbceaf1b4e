//! When check-ins are written.

use std::sync::Arc;

use super::*;
use crate::domain::host::Host;
use crate::domain::id::SystemRandom;
use crate::domain::time::ManualClock;
use crate::services::Settings;
use crate::services::test_support::{database, host, operator};

struct World {
    _dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    shop: Shop,
    hosts: Vec<HostId>,
}

fn world() -> World {
    let (dir, db) = database();
    operator(&db, "alice");
    let ips = (1..=10).map(|n| format!("203.0.113.{n}"));
    let hosts = ips.map(|ip| host(&db, "alice", &ip, &[(20_000, 20_099)]).0).collect();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let shop = Shop::new(db, clock.clone(), Arc::new(SystemRandom), Settings::default()).unwrap();
    World { _dir: dir, clock, shop, hosts }
}

impl World {
    async fn check_in(&self, host: HostId, status: u8, message: &str) {
        check_in(&self.shop, &Principal::Host(host), host, status, message.to_owned()).await.unwrap();
    }

    fn stored(&self, host: HostId) -> Host {
        crate::services::hosts::catalog::get(&self.shop, &Principal::Host(host), host).unwrap()
    }

    fn version(&self) -> i64 {
        self.shop.db.version().unwrap()
    }
}

#[tokio::test]
async fn ten_hosts_that_poll_every_two_seconds_are_stored_together_and_stay_alive() {
    let world = world();
    let mut commits = 0;
    for _ in 0..(10 * 60 / 2) {
        for host in &world.hosts {
            let before = world.version();
            world.check_in(*host, 0, "").await;
            commits += u32::from(world.version() != before);
            assert!(world.stored(*host).is_alive(world.shop.now()));
        }
        world.clock.advance_secs(2);
    }
    // Ten at the start, one batch each two and a half minutes.
    assert!(commits <= 10 + 4, "{commits} commits in ten minutes");
}

#[tokio::test]
async fn what_a_host_says_anew_is_stored_at_once() {
    let world = world();
    let host = world.hosts[0];
    world.check_in(host, 0, "").await;
    world.clock.advance_secs(2);
    world.check_in(host, 0, "rebooted").await;
    assert_eq!(world.stored(host).ci_message.as_deref(), Some("rebooted"));
    world.clock.advance_secs(2);
    world.check_in(host, 1, "rebooted").await;
    assert!(!world.stored(host).is_alive(world.shop.now()), "it said goodbye");
}

#[tokio::test]
async fn a_host_that_checks_in_rarely_is_alive_for_five_minutes_after_each() {
    let world = world();
    let host = world.hosts[0];
    for _ in 0..20 {
        world.check_in(host, 0, "").await;
        world.clock.advance_secs(115);
        assert!(world.stored(host).is_alive(world.shop.now()));
    }
    for pause in [31, 119, 121, 149, 151, 290] {
        world.check_in(host, 0, "").await;
        world.clock.advance_secs(pause);
        world.check_in(host, 0, "").await;
        world.clock.advance_secs(299);
        assert!(world.stored(host).is_alive(world.shop.now()), "after {pause} seconds");
    }
}

#[tokio::test]
async fn a_shop_that_ends_stores_what_it_has_in_memory() {
    let world = world();
    let host = world.hosts[0];
    world.check_in(host, 0, "").await;
    world.clock.advance_secs(2);
    world.check_in(host, 0, "").await;
    assert_ne!(world.stored(host).ci_date, Some(world.shop.now()), "it is in memory only");
    store_all(&world.shop).await.unwrap();
    assert_eq!(world.stored(host).ci_date, Some(world.shop.now()));
}

#[tokio::test]
async fn after_the_clock_was_put_back_a_check_in_is_stored_although_the_last_one_lies_ahead() {
    let world = world();
    let host = world.hosts[0];
    world.check_in(host, 0, "").await;
    world.clock.advance_secs(-30);
    world.check_in(host, 0, "").await;
    assert_eq!(world.stored(host).ci_date, Some(world.shop.now()));
}
