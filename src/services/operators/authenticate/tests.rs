//! The rules of credentials, tried on a database and a clock that is moved.

use super::*;
use crate::domain::id::SystemRandom;
use crate::domain::time::{ManualClock, Timestamp};
use crate::services::Tx;
use crate::services::test_support::{administrator, database, host, operator};

struct Rig {
    _dir: tempfile::TempDir,
    db: Db,
    clock: Arc<ManualClock>,
    auth: Authenticator,
}

const PASSWORD: &str = "correct horse";
const HERE: Source<'_> = Source { client: "here", is_of_crowd: false };

fn rig() -> Rig {
    let (dir, db) = database();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let auth = Authenticator::new(db.clone(), clock.clone(), &SystemRandom);
    operator(&db, "anna");
    set_password(&db, PASSWORD);
    Rig { _dir: dir, db, clock, auth }
}

fn set_password(db: &Db, password: &str) {
    let hash = passwords::hash(password, &SystemRandom).unwrap();
    let set = move |tx: &mut Tx<'_>| crate::services::operators::manage::set_password(tx, "anna", &hash, None);
    administrator().write(db, set).unwrap();
}

fn of_crowd(client: &str) -> Source<'_> {
    Source { client, is_of_crowd: true }
}

impl Rig {
    async fn try_password(&self, password: &str) -> Result<bool, u32> {
        self.try_from("anna", password, "here").await
    }

    async fn try_from(&self, name: &str, password: &str, client: &str) -> Result<bool, u32> {
        self.try_source(name, password, Source { client, is_of_crowd: false }).await
    }

    async fn try_source(&self, name: &str, password: &str, source: Source<'_>) -> Result<bool, u32> {
        match self.auth.password(name, password, source).await {
            Ok(scope) => Ok(scope.is_some()),
            Err(Error::Unavailable { retry_after_secs, .. }) => Err(retry_after_secs),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_token_leads_to_its_host_alone() {
    let rig = rig();
    let (id, token) = host(&rig.db, "anna", "192.0.2.1", &[]);
    assert_eq!(rig.auth.token(&token).await, Ok(Some(id)));
    assert_eq!(rig.auth.token(&token.to_uppercase()).await, Ok(None));
    assert_eq!(rig.auth.token("").await, Ok(None));
}

#[tokio::test]
async fn a_role_decides_what_a_password_gives() {
    let rig = rig();
    let scope = rig.auth.password("anna", PASSWORD, HERE).await.unwrap();
    assert!(matches!(scope, Some(operator) if operator.name == "anna"));
    assert_eq!(rig.auth.password("nobody", PASSWORD, HERE).await, Ok(None));
}

#[tokio::test]
async fn after_too_many_wrong_passwords_a_client_waits_even_with_the_right_one() {
    let rig = rig();
    for _ in 0..5 {
        assert_eq!(rig.try_password("wrong").await, Ok(false));
    }
    assert_eq!(rig.try_password(PASSWORD).await, Err(60));
    rig.clock.advance_secs(59);
    assert_eq!(rig.try_password("wrong").await, Err(1));
    rig.clock.advance_secs(1);
    assert_eq!(rig.try_password(PASSWORD).await, Ok(true));
}

#[tokio::test]
async fn a_clock_that_is_put_back_locks_nobody_out() {
    let rig = rig();
    for _ in 0..5 {
        assert_eq!(rig.try_password("wrong").await, Ok(false));
    }
    rig.clock.advance_secs(-10 * 365 * 86_400);
    assert_eq!(rig.try_password(PASSWORD).await, Ok(true));
}

#[tokio::test]
async fn a_strangers_guesses_lock_nobody_else_out() {
    let rig = rig();
    for _ in 0..5 {
        assert_eq!(rig.try_from("anna", "wrong", "a stranger").await, Ok(false));
    }
    assert_eq!(rig.try_from("anna", "wrong", "a stranger").await, Err(60));
    assert_eq!(rig.try_from("anna", PASSWORD, "here").await, Ok(true));
}

#[tokio::test]
async fn an_unknown_name_is_answered_as_a_known_one() {
    let rig = rig();
    for name in ["anna", "nobody"] {
        for _ in 0..5 {
            assert_eq!(rig.try_from(name, "wrong", "here").await, Ok(false), "{name}");
        }
        assert_eq!(rig.try_from(name, "wrong", "here").await, Err(60), "{name}");
    }
    assert_eq!(passwords::hash(PASSWORD, &SystemRandom).unwrap()[..31], NOBODYS_HASH[..31], "as costly");
}

#[tokio::test]
async fn a_client_that_tries_many_names_waits_too() {
    let rig = rig();
    for number in 0..20 {
        assert_eq!(rig.try_from(&format!("name{number}"), "wrong", "here").await, Ok(false));
    }
    assert_eq!(rig.try_from("another name", "wrong", "here").await, Err(60));
}

#[tokio::test]
async fn all_of_a_crowd_wait_when_many_of_them_are_wrong_and_others_do_not() {
    let rig = rig();
    for number in 0..30 {
        let client = format!("circuit {number}");
        // At several names, of which each would let them wait soon.
        let name = format!("name {}", number % 4);
        assert_eq!(rig.try_source(&name, "wrong", of_crowd(&client)).await, Ok(false));
        if number == 15 {
            assert_eq!(rig.try_source("anna", PASSWORD, of_crowd("the operator")).await, Ok(true));
            set_password(&rig.db, "another password");
        }
    }
    assert_eq!(rig.try_source("anna", "wrong", of_crowd("another circuit")).await, Err(60));
    assert_eq!(rig.try_from("anna", "another password", "here").await, Ok(true));
    rig.clock.advance_secs(60);
    assert_eq!(rig.try_source("anna", "another password", of_crowd("another circuit")).await, Ok(true));
}

#[tokio::test]
async fn wrong_passwords_from_many_clients_let_a_name_wait_whether_anybody_has_it_or_not() {
    let rig = rig();
    assert_eq!(rig.try_from("anna", PASSWORD, "a program of hers").await, Ok(true));
    for name in ["anna", "nobody"] {
        for number in 0..10 {
            assert_eq!(rig.try_from(name, "wrong", &format!("client {number}")).await, Ok(false), "{name}");
        }
        assert_eq!(rig.try_from(name, "wrong", "one more").await, Err(1), "{name}");
    }
    assert_eq!(rig.try_from("anna", PASSWORD, "her new address").await, Ok(true), "the password is remembered");
    set_password(&rig.db, "another password");
    assert_eq!(rig.try_from("anna", "another password", "her new address 2").await, Err(1));
    assert_eq!(rig.try_from("anna", "another password", "a program of hers").await, Ok(true));
    rig.clock.advance_secs(1);
    assert_eq!(rig.try_from("nobody", "wrong", "one more").await, Ok(false));
    assert_eq!(rig.try_from("nobody", "wrong", "the next").await, Err(2));
}

#[tokio::test]
async fn a_remembered_password_works_while_its_name_has_to_wait() {
    let rig = rig();
    assert_eq!(rig.try_password(PASSWORD).await, Ok(true));
    for _ in 0..5 {
        assert_eq!(rig.try_password("wrong").await, Ok(false));
    }
    assert!(rig.try_password("wrong").await.is_err());
    assert_eq!(rig.try_password(PASSWORD).await, Ok(true));
    rig.clock.advance_secs(600);
    for _ in 0..5 {
        assert_eq!(rig.try_password("wrong").await, Ok(false));
    }
    assert!(rig.try_password(PASSWORD).await.is_err(), "no longer remembered");
}

#[tokio::test]
async fn a_replaced_password_is_forgotten_at_once() {
    let rig = rig();
    assert_eq!(rig.try_password(PASSWORD).await, Ok(true));
    set_password(&rig.db, "another password");
    assert_eq!(rig.try_password(PASSWORD).await, Ok(false));
    assert_eq!(rig.try_password("another password").await, Ok(true));
}

#[tokio::test]
async fn many_requests_with_a_good_password_are_all_let_in() {
    let rig = rig();
    let results = futures_util::future::join_all((0..20).map(|_| rig.try_password(PASSWORD))).await;
    assert!(results.into_iter().all(|result| result == Ok(true)));
}

#[tokio::test]
async fn a_replaced_token_works_until_the_new_one_is_used() {
    let rig = rig();
    let (id, old) = host(&rig.db, "anna", "192.0.2.1", &[]);
    let new = replace_token(&rig, id, false);
    assert_eq!(rig.auth.token(&old).await, Ok(Some(id)), "the host has not heard of the new one yet");
    assert!(rig.auth.is_token_of(&hash_token(&old), id).unwrap());
    assert_eq!(rig.auth.token(&new).await, Ok(Some(id)));
    assert_eq!(rig.auth.token(&old).await, Ok(None));
    assert!(!rig.auth.is_token_of(&hash_token(&old), id).unwrap(), "and its connections end");
    assert_eq!(rig.auth.token(&new).await, Ok(Some(id)));
}

#[tokio::test]
async fn a_replaced_token_works_for_a_day_from_its_own_replacement_or_ends_at_once() {
    let rig = rig();
    let (id, old) = host(&rig.db, "anna", "192.0.2.1", &[]);
    let unused = replace_token(&rig, id, false);
    rig.clock.advance_secs(80_000);
    let new = replace_token(&rig, id, false);
    rig.clock.advance_secs(6_399);
    assert_eq!(rig.auth.token(&old).await, Ok(Some(id)), "the one that the host has");
    rig.clock.advance_secs(2);
    assert_eq!(rig.auth.token(&old).await, Ok(None), "another new token does not prolong its life");
    assert_eq!(rig.auth.token(&unused).await, Ok(Some(id)));
    rig.clock.advance_secs(80_000);
    assert_eq!(rig.auth.token(&unused).await, Ok(None));
    let last = replace_token(&rig, id, true);
    assert_eq!(rig.auth.token(&new).await, Ok(None));
    assert_eq!(rig.auth.token(&last).await, Ok(Some(id)));
}

#[tokio::test]
async fn each_token_that_a_host_may_have_works_until_the_newest_is_used() {
    let rig = rig();
    let (id, old) = host(&rig.db, "anna", "192.0.2.1", &[]);
    let installed = replace_token(&rig, id, false);
    let newest = replace_token(&rig, id, false);
    for token in [&old, &installed, &old] {
        assert_eq!(rig.auth.token(token).await, Ok(Some(id)), "nobody knows which one the host has by now");
    }
    assert_eq!(rig.auth.token(&newest).await, Ok(Some(id)));
    for token in [&old, &installed] {
        assert_eq!(rig.auth.token(token).await, Ok(None));
    }
}

#[tokio::test]
async fn of_many_tokens_in_one_day_the_first_and_the_newest_work() {
    let rig = rig();
    let (id, old) = host(&rig.db, "anna", "192.0.2.1", &[]);
    let mut tokens = vec![old];
    for _ in 0..20 {
        rig.clock.advance_secs(1);
        tokens.push(replace_token(&rig, id, false));
    }
    let mut works = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        let owner = rig.db.read(|db| host_tokens::owner(db, &hash_token(token), rig.clock.now())).unwrap();
        works.extend(owner.map(|_| number));
    }
    assert_eq!(works, [0, 17, 18, 19, 20], "the one that the host had, and those that it may have got");
}

fn replace_token(rig: &Rig, id: HostId, at_once: bool) -> String {
    let session = crate::services::Session::on_command_line(rig.clock.now());
    session
        .write(&rig.db, move |tx| crate::services::hosts::manage::rotate_token(tx, &SystemRandom, id, at_once))
        .unwrap()
}
