//! Who gets a place, and who gives way.

use std::net::IpAddr;

use futures_util::FutureExt;

use super::*;
use crate::http::server::connection_state::End;

fn peer(address: &str) -> Addr {
    Addr::SocketAddr(address.parse().unwrap())
}

/// Places, and the time that is moved by hand.
fn limiter(max_connections: usize) -> (Arc<ConnectionLimiter>, Arc<Mutex<Instant>>) {
    let time = Arc::new(Mutex::new(Instant::now()));
    let clock = Arc::clone(&time);
    let limits = ConnectionLimits { max_connections, ..ConnectionLimits::default() };
    (
        ConnectionLimiter::at(
            limits,
            Box::new(|address| address == IpAddr::from([10, 0, 0, 1])),
            Arc::new(move || *clock.lock()),
        ),
        time,
    )
}

fn advance(time: &Mutex<Instant>, by: Duration) {
    *time.lock() += by;
}

/// A connection whose only request is answered.
fn answered(place: &ConnectionPermit) {
    place.state().heard();
    place.state().begins();
    place.state().answers();
    place.state().took();
    place.state().answered();
    place.flushed();
}

/// Whether there is room at once; if not somebody may have been asked to leave.
fn has_room(limiter: &Arc<ConnectionLimiter>) -> bool {
    limiter.room().now_or_never().is_some()
}

fn leaves(place: &ConnectionPermit) -> bool {
    End::of(Arc::clone(place.state())).now_or_never().is_some()
}

#[tokio::test]
async fn one_address_gets_a_quarter_of_the_places_and_a_proxy_any_number() {
    let (limiter, _time) = limiter(64);
    let admit = |address: &str| limiter.admit(&peer(address));
    let mut here: Vec<_> = (0..20).map_while(|_| admit("203.0.113.1:5")).collect();
    assert_eq!(here.len(), 16);
    assert!(admit("203.0.113.2:5").is_some(), "another address has its own");
    here.pop();
    assert!(admit("203.0.113.1:6").is_some(), "one has left");
    let network: Vec<_> = (0..20).map_while(|host| admit(&format!("[2001:db8::{host}]:5"))).collect();
    assert_eq!(network.len(), 16, "an IPv6 network is one client");
    let local: Vec<_> = (0..60).map_while(|_| admit("127.0.0.1:5")).collect();
    assert_eq!(local.len(), 60);
    let proxy: Vec<_> = (0..60).map_while(|_| admit("10.0.0.1:5")).collect();
    assert_eq!(proxy.len(), 60, "it stands for many");
    drop((here, network, local, proxy));
    let inner = limiter.lock();
    assert!(inner.by_client.is_empty() && inner.taken.is_empty(), "nothing is remembered of who has left");
}

#[tokio::test]
async fn whoever_has_its_share_gets_a_new_connection_for_an_idle_one_and_for_nothing_else() {
    let (limiter, _time) = limiter(64);
    let here: Vec<_> = (0..16).map_while(|_| limiter.admit(&peer("203.0.113.1:5"))).collect();
    here.iter().for_each(|place| place.state().begins());
    assert!(limiter.admit(&peer("203.0.113.1:5")).is_none(), "the shop works for all of them");
    answered(&here[3]);
    let newcomer = limiter.admit(&peer("203.0.113.1:5"));
    assert!(newcomer.is_some() && leaves(&here[3]));
    answered(&here[4]);
    assert!(limiter.admit(&peer("203.0.113.1:5")).is_none(), "one at a time: the other is still on its way out");
}

#[tokio::test]
async fn when_there_is_no_place_an_answered_connection_goes_first_and_at_once() {
    let (limiter, time) = limiter(8);
    let places: Vec<_> = (1..=8).map(|host| limiter.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    assert!(!has_room(&limiter), "all are new");
    assert!(!places.iter().any(leaves), "and nobody has kept anybody waiting");
    places[0].state().begins();
    advance(&time, Duration::from_millis(10));
    answered(&places[5]);
    advance(&time, Duration::from_millis(10));
    answered(&places[2]);
    assert!(!has_room(&limiter));
    assert_eq!(places.iter().map(leaves).filter(|leaves| *leaves).count(), 1, "one is enough");
    assert!(leaves(&places[5]), "the one that has waited for longest");
    let mut places = places;
    drop(places.remove(5));
    assert!(has_room(&limiter));
}

#[tokio::test]
async fn an_answered_connection_of_the_client_that_has_most_goes_before_those_of_others() {
    let (limiter, time) = limiter(32);
    let others: Vec<_> = (1..=24).map(|host| limiter.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    others.iter().for_each(answered);
    advance(&time, Duration::from_secs(1));
    let greedy: Vec<_> = (0..8).map(|_| limiter.admit(&peer("198.51.100.1:5")).unwrap()).collect();
    greedy.iter().for_each(answered);
    assert!(!has_room(&limiter));
    assert!(greedy.iter().any(leaves) && !others.iter().any(leaves));
}

#[tokio::test]
async fn who_keeps_the_shop_waiting_goes_a_little_later_and_who_it_works_for_never() {
    let (limiter, time) = limiter(8);
    let places: Vec<_> = (1..=8).map(|host| limiter.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    for place in &places {
        place.state().heard();
        place.state().begins();
    }
    advance(&time, PATIENCE);
    assert!(!has_room(&limiter) && !places.iter().any(leaves), "the shop works for all of them");
    places[1].state().waits_for_body(true);
    places[2].state().answers();
    assert!(!has_room(&limiter) && !places.iter().any(leaves), "a body may be a moment late");
    advance(&time, PATIENCE);
    places[2].state().took();
    assert!(!has_room(&limiter));
    assert!(leaves(&places[1]) && !leaves(&places[2]), "an answer that is taken is no reason to go");
    places[1].state().waits_for_body(false);
    assert!(leaves(&places[1]), "that it comes now is too late");
}

#[tokio::test]
async fn who_waits_for_a_place_gets_it_as_soon_as_somebody_is_idle() {
    let (limiter, _time) = limiter(1);
    let place = limiter.admit(&peer("203.0.113.1:5")).unwrap();
    place.state().begins();
    let waiting = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.room().await }
    });
    tokio::task::yield_now().await;
    answered(&place);
    tokio::task::yield_now().await;
    assert!(leaves(&place));
    drop(place);
    tokio::task::yield_now().await;
    assert!(waiting.is_finished());
}

#[tokio::test]
async fn each_stage_of_a_connection_has_its_time() {
    let (limiter, time) = limiter(8);
    let limits = ConnectionLimits::default();
    let place = limiter.admit(&peer("203.0.113.1:5")).unwrap();
    let state = place.state();
    let left = || state.deadline() - *time.lock();
    assert_eq!(left(), limits.header_time, "the first head");
    advance(&time, Duration::from_secs(3));
    state.heard();
    assert_eq!(left(), limits.header_time - Duration::from_secs(3), "a piece of it gives no more time");
    state.begins();
    let work = limits.request_time + Duration::from_secs(5);
    assert_eq!(left(), work);
    advance(&time, Duration::from_secs(3));
    state.waits_for_body(true);
    state.heard();
    assert_eq!(left(), work - Duration::from_secs(3), "nor does one of the body");
    answered(&place);
    assert_eq!(left(), limits.idle_time);
    advance(&time, Duration::from_secs(3));
    state.heard();
    assert_eq!(left(), limits.header_time, "the next head");
    state.upgrades();
    answered(&place);
    assert_eq!(state.turn(), Turn::Upgraded, "it has limits of its own for good");
}

#[tokio::test]
async fn a_request_that_came_with_the_last_one_is_worked_on_while_the_last_answer_is_sent() {
    let (limiter, _time) = limiter(8);
    let place = limiter.admit(&peer("203.0.113.1:5")).unwrap();
    let state = place.state();
    state.begins();
    state.answers();
    state.answered();
    state.begins();
    place.flushed();
    assert_eq!(state.turn(), Turn::Shop);
    state.answers();
    place.flushed();
    assert_eq!(state.turn(), Turn::Client, "there is more to come");
    state.answered();
    place.flushed();
    assert_eq!(state.turn(), Turn::Idle);
}

#[tokio::test]
async fn a_connection_ends_when_its_time_is_up_also_when_that_has_become_earlier() {
    let limits = ConnectionLimits { header_time: Duration::ZERO, ..ConnectionLimits::default() };
    let place = ConnectionLimiter::new(limits).admit(&peer("203.0.113.1:5")).unwrap();
    answered(&place);
    let mut end = End::of(Arc::clone(place.state()));
    assert!((&mut end).now_or_never().is_none(), "a minute is left");
    place.state().heard();
    timeout(Duration::from_secs(30), end).await.expect("the head should have come by now");
}

#[tokio::test]
async fn an_answered_connection_goes_before_one_that_has_not_asked_for_long() {
    let (limiter, time) = limiter(8);
    let places: Vec<_> = (1..=8).map(|host| limiter.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    advance(&time, PATIENCE * 2);
    answered(&places[5]);
    assert!(!has_room(&limiter));
    assert!(leaves(&places[5]));
    assert_eq!(places.iter().filter(|place| leaves(place)).count(), 1);
}
