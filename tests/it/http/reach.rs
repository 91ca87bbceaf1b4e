//! Nobody sees or changes what is another's: every operation, as the document lists them, tried in every role with the
//! ids of things of another operator and another host, and the database compared before and after each. What is added to
//! the document is tried by itself.

mod document;
mod world;

use std::collections::BTreeSet;

use document::Operation;
use world::{Role, World};

use crate::support::request::Answer;

/// Operations that anybody may ask for and that change something: a buyer knows an id, or wants to.
const OPEN_CHANGES: [&str; 5] = [
    "admin_login_create",
    "admin_setup_create",
    "public_nostr_aliases_extend",
    "public_order_create",
    "public_tor_bridges_extend",
];

/// Operations whose paths lead to nothing of the sample shop, so that it does not show that they are closed to others.
/// Whoever adds one says why, or adds what it is about to [`World::new`].
const UNREACHED: [&str; 0] = [];

/// Operations that are refused for their sample body whoever asks; a better one belongs into [`document::sample`].
const UNPROVEN: [&str; 0] = [];

/// Streams have no end; of them only who may open one is tried.
fn is_stream(operation: &Operation) -> bool {
    operation.answers_with("text/event-stream")
}

#[tokio::test]
async fn without_a_login_every_operation_that_asks_for_one_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let before = world.rows(None);
    for operation in document::operations().iter().filter(|operation| !operation.is_public()) {
        // What hosts may ask for is tried with the token of another one below.
        let host = operation.is_admin().then_some(Role::Host);
        for role in [Role::Nobody, Role::BadToken, Role::BadHostToken].into_iter().chain(host) {
            for (path, body) in operation.requests(&world.ids) {
                let answer = world.ask(role, operation, &path, body.as_ref()).await;
                assert_eq!(answer.status, 401, "{role:?} {} {path}: {}", operation.id, answer.text());
            }
        }
        assert_eq!(world.difference(&before, None), BTreeSet::new(), "{}", operation.id);
    }
}

#[tokio::test]
async fn what_asks_for_no_login_changes_nothing_but_orders_and_logins() {
    let world = World::new().await;
    let open: Vec<_> = document::operations().into_iter().filter(Operation::is_public).collect();
    let changes = open.iter().filter(|operation| operation.method != "get").map(|operation| operation.id.clone());
    assert_eq!(changes.collect::<BTreeSet<_>>(), OPEN_CHANGES.map(str::to_owned).into());
    let before = world.rows(None);
    for operation in open.iter().filter(|operation| operation.method == "get" || operation.is_admin()) {
        for (path, body) in operation.requests(&world.ids) {
            let answer = world.ask(Role::Nobody, operation, &path, body.as_ref()).await;
            assert!(answer.status != 200 || operation.method == "get", "{} {}", operation.id, answer.text());
        }
        assert_eq!(world.difference(&before, None), BTreeSet::new(), "{}", operation.id);
    }
}

#[tokio::test]
async fn with_a_token_that_may_only_read_nobody_changes_anything() {
    let world = World::new().await;
    let before = world.rows(None);
    let changes = |operation: &&Operation| operation.is_admin() && !operation.is_public() && operation.method != "get";
    for operation in document::operations().iter().filter(changes) {
        for role in [Role::ReadingAdministrator, Role::ReadingOwner] {
            for (path, body) in operation.requests(&world.ids) {
                let answer = world.ask(role, operation, &path, body.as_ref()).await;
                assert_eq!(answer.status, 403, "{role:?} {} {path}: {}", operation.id, answer.text());
            }
        }
        assert_eq!(world.difference(&before, None), BTreeSet::new(), "{}", operation.id);
    }
}

#[tokio::test]
async fn an_operator_and_a_host_see_and_change_nothing_that_is_anothers() {
    let world = World::new().await;
    let before = world.rows(Some(world::STRANGER));
    let mut unproven = BTreeSet::new();
    let tried = |operation: &&Operation| !is_stream(operation) && (operation.is_admin() || !operation.is_public());
    for operation in document::operations().iter().filter(tried) {
        let mut is_proven = !operation.has_path_ids();
        let roles = match operation.is_admin() {
            true => [Role::Stranger, Role::StrangersToken, Role::StrangersPassword].as_slice(),
            false => [Role::OtherHost, Role::StrangersPassword].as_slice(),
        };
        for role in roles.iter().copied() {
            world.renew_stranger();
            for (path, body) in operation.requests(&world.ids) {
                let answer = world.ask(role, operation, &path, body.as_ref()).await;
                let what = format!("{role:?} {} {path} {body:?}: {} {}", operation.id, answer.status, answer.text());
                assert!(!answer.status.is_server_error() || answer.status == 503, "{what}");
                if answer.status.is_success() {
                    assert!(!operation.has_path_ids(), "another's thing: {what}");
                    assert_eq!(world.marks_in(&answer), Vec::<String>::new(), "{what}");
                }
                is_proven |= matches!(answer.status.as_u16(), 403 | 404);
            }
            let change = world.difference(&before, Some(world::STRANGER));
            assert_eq!(change, BTreeSet::new(), "{role:?} {}", operation.id);
        }
        if !is_proven {
            unproven.insert(operation.id.clone());
        }
    }
    unproven.retain(|id| !UNPROVEN.contains(&id.as_str()));
    assert_eq!(unproven, BTreeSet::new(), "refused for their body alone, and so not shown to be closed");
}

/// Otherwise the tests above would show nothing: what is not found for a stranger is there.
#[tokio::test]
async fn the_sample_ids_lead_to_things_that_are_there() {
    let world = World::new().await;
    let mut unreached = BTreeSet::new();
    let readers = |operation: &&Operation| operation.method == "get" && operation.has_path_ids();
    for operation in document::operations().iter().filter(readers).filter(|operation| !is_stream(operation)) {
        let mut answers: Vec<Answer> = Vec::new();
        for (path, body) in operation.requests(&world.ids) {
            for role in if operation.is_admin() { &[Role::Administrator][..] } else { &[Role::Host, Role::HostOfAlias] }
            {
                answers.push(world.ask(*role, operation, &path, body.as_ref()).await);
            }
        }
        if !answers.iter().any(|answer| answer.status.is_success()) {
            unreached.insert(operation.id.clone());
        }
    }
    unreached.retain(|id| !UNREACHED.contains(&id.as_str()));
    assert_eq!(unreached, BTreeSet::new(), "no sample id leads to anything");
    let list = world.ask_list(Role::Owner).await;
    assert_ne!(world.marks_in(&list), Vec::<String>::new(), "the owner sees what is theirs");
}
