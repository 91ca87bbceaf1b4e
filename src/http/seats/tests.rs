//! Who gets a place, and who gives way.

use futures_util::FutureExt;

use super::*;
use crate::http::seat::End;

fn peer(address: &str) -> Addr {
    Addr::SocketAddr(address.parse().unwrap())
}

fn seats(max_connections: usize) -> Arc<Seats> {
    Seats::new(ConnectionLimits { max_connections, ..ConnectionLimits::default() })
}

/// A connection whose only request is answered.
fn answered(place: &Place) {
    place.seat().heard();
    place.seat().begins();
    place.seat().answers();
    place.seat().took();
    place.seat().answered();
    place.flushed();
}

/// Whether there is room at once; if not somebody may have been asked to leave.
fn has_room(seats: &Arc<Seats>) -> bool {
    seats.room().now_or_never().is_some()
}

fn leaves(place: &Place) -> bool {
    End::of(Arc::clone(place.seat())).now_or_never().is_some()
}

#[tokio::test(start_paused = true)]
async fn one_address_gets_a_quarter_of_the_places_and_this_machine_any_number() {
    let seats = seats(64);
    let admit = |address: &str| seats.admit(&peer(address));
    let mut here: Vec<_> = (0..20).map_while(|_| admit("203.0.113.1:5")).collect();
    assert_eq!(here.len(), 16);
    assert!(admit("203.0.113.2:5").is_some(), "another address has its own");
    here.pop();
    assert!(admit("203.0.113.1:6").is_some(), "one has left");
    let network: Vec<_> = (0..20).map_while(|host| admit(&format!("[2001:db8::{host}]:5"))).collect();
    assert_eq!(network.len(), 16, "an IPv6 network is one client");
    let local: Vec<_> = (0..60).map_while(|_| admit("127.0.0.1:5")).collect();
    assert_eq!(local.len(), 60);
    drop((here, network, local));
    let inner = seats.lock();
    assert!(inner.by_client.is_empty() && inner.taken.is_empty(), "nothing is remembered of who has left");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_its_share_gets_a_new_connection_for_an_idle_one_and_for_nothing_else() {
    let seats = seats(64);
    let here: Vec<_> = (0..16).map_while(|_| seats.admit(&peer("203.0.113.1:5"))).collect();
    here.iter().for_each(|place| place.seat().begins());
    assert!(seats.admit(&peer("203.0.113.1:5")).is_none(), "the shop works for all of them");
    answered(&here[3]);
    let newcomer = seats.admit(&peer("203.0.113.1:5"));
    assert!(newcomer.is_some() && leaves(&here[3]));
    answered(&here[4]);
    assert!(seats.admit(&peer("203.0.113.1:5")).is_none(), "one at a time: the other is still on its way out");
}

#[tokio::test(start_paused = true)]
async fn when_there_is_no_place_an_answered_connection_goes_first_and_at_once() {
    let seats = seats(8);
    let places: Vec<_> = (1..=8).map(|host| seats.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    assert!(!has_room(&seats), "all are new");
    assert!(!places.iter().any(leaves), "and nobody has kept anybody waiting");
    places[0].seat().begins();
    tokio::time::advance(Duration::from_millis(10)).await;
    answered(&places[5]);
    tokio::time::advance(Duration::from_millis(10)).await;
    answered(&places[2]);
    assert!(!has_room(&seats));
    assert_eq!(places.iter().map(leaves).filter(|leaves| *leaves).count(), 1, "one is enough");
    assert!(leaves(&places[5]), "the one that has waited for longest");
    let mut places = places;
    drop(places.remove(5));
    assert!(has_room(&seats));
}

#[tokio::test(start_paused = true)]
async fn an_answered_connection_of_the_client_that_has_most_goes_before_those_of_others() {
    let seats = seats(32);
    let others: Vec<_> = (1..=24).map(|host| seats.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    others.iter().for_each(answered);
    tokio::time::advance(Duration::from_secs(1)).await;
    let greedy: Vec<_> = (0..8).map(|_| seats.admit(&peer("198.51.100.1:5")).unwrap()).collect();
    greedy.iter().for_each(answered);
    assert!(!has_room(&seats));
    assert!(greedy.iter().any(leaves) && !others.iter().any(leaves));
}

#[tokio::test(start_paused = true)]
async fn who_keeps_the_shop_waiting_goes_a_little_later_and_who_it_works_for_never() {
    let seats = seats(8);
    let places: Vec<_> = (1..=8).map(|host| seats.admit(&peer(&format!("203.0.113.{host}:5"))).unwrap()).collect();
    for place in &places {
        place.seat().heard();
        place.seat().begins();
    }
    tokio::time::advance(PATIENCE).await;
    assert!(!has_room(&seats) && !places.iter().any(leaves), "the shop works for all of them");
    places[1].seat().waits_for_body(true);
    places[2].seat().answers();
    assert!(!has_room(&seats) && !places.iter().any(leaves), "a body may be a moment late");
    tokio::time::advance(PATIENCE).await;
    places[2].seat().took();
    assert!(!has_room(&seats));
    assert!(leaves(&places[1]) && !leaves(&places[2]), "an answer that is taken is no reason to go");
    places[1].seat().waits_for_body(false);
    assert!(leaves(&places[1]), "that it comes now is too late");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_gets_it_as_soon_as_somebody_is_idle() {
    let seats = seats(1);
    let place = seats.admit(&peer("203.0.113.1:5")).unwrap();
    place.seat().begins();
    let waiting = tokio::spawn({
        let seats = Arc::clone(&seats);
        async move { seats.room().await }
    });
    tokio::task::yield_now().await;
    answered(&place);
    tokio::task::yield_now().await;
    assert!(leaves(&place));
    drop(place);
    tokio::task::yield_now().await;
    assert!(waiting.is_finished());
}

#[tokio::test(start_paused = true)]
async fn each_stage_of_a_connection_has_its_time() {
    let limits = ConnectionLimits::default();
    let place = seats(8).admit(&peer("203.0.113.1:5")).unwrap();
    let seat = place.seat();
    let mut end = End::of(Arc::clone(seat));
    let mut ends_after = async |time: Duration| {
        tokio::time::advance(time.checked_sub(Duration::from_millis(5)).unwrap()).await;
        let early = (&mut end).now_or_never();
        tokio::time::advance(Duration::from_millis(10)).await;
        let late = (&mut end).now_or_never();
        end = End::of(Arc::clone(seat));
        (early, late) == (None, Some(()))
    };
    assert!(ends_after(limits.header_time).await, "the first head");
    seat.begins();
    assert!(ends_after(limits.request_time + Duration::from_secs(5)).await, "work");
    answered(&place);
    assert!(ends_after(limits.idle_time).await, "nothing asked");
    seat.heard();
    assert!(ends_after(limits.header_time).await, "the next head");
    seat.upgrades();
    tokio::time::advance(Duration::from_secs(100_000)).await;
    assert!(!leaves(&place), "an upgraded connection has limits of its own");
}
