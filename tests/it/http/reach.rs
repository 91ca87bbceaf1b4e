//! An operator never sees or changes what is another's: every operation of the admin API, as the document lists them,
//! tried in every role with the ids of things of another operator, and the database compared before and after each.
//! What is added to the document is tried by itself.

mod document;
mod world;

use std::collections::BTreeSet;

use document::Operation;
use world::{Role, World};

use crate::support::request::Answer;

/// Operations that anybody may ask for.
const PUBLIC: [&str; 3] = ["admin_login_create", "admin_setup_read", "admin_setup_create"];

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
async fn without_an_operators_session_every_operation_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let before = world.rows(None);
    for operation in document::operations() {
        for role in [Role::Nobody, Role::Host, Role::BadToken] {
            for (path, body) in operation.requests(&world.ids) {
                let answer = world.ask(role, &operation, &path, body.as_ref()).await;
                let status = answer.status.as_u16();
                match PUBLIC.contains(&operation.id.as_str()) {
                    true => assert!(status != 200 || operation.method == "get", "{role:?} {}", operation.id),
                    false => assert_eq!(status, 401, "{role:?} {} {path}: {}", operation.id, answer.text()),
                }
            }
        }
        assert_eq!(world.difference(&before, None), BTreeSet::new(), "{}", operation.id);
    }
}

#[tokio::test]
async fn with_a_token_that_may_only_read_nobody_changes_anything() {
    let world = World::new().await;
    let before = world.rows(None);
    for operation in document::operations().iter().filter(|operation| operation.method != "get") {
        for role in [Role::ReadingAdministrator, Role::ReadingOwner] {
            for (path, body) in operation.requests(&world.ids) {
                let answer = world.ask(role, operation, &path, body.as_ref()).await;
                let is_public = PUBLIC.contains(&operation.id.as_str());
                assert!(is_public || answer.status == 403, "{role:?} {} {path}: {}", operation.id, answer.text());
            }
        }
        assert_eq!(world.difference(&before, None), BTreeSet::new(), "{}", operation.id);
    }
}

#[tokio::test]
async fn an_operator_sees_and_changes_nothing_that_is_anothers() {
    let world = World::new().await;
    let before = world.rows(Some(world::STRANGER));
    let mut unproven = BTreeSet::new();
    for operation in document::operations().iter().filter(|operation| !is_stream(operation)) {
        let mut is_proven = !operation.has_path_ids();
        for role in [Role::Stranger, Role::StrangersToken] {
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
            answers.push(world.ask(Role::Administrator, operation, &path, body.as_ref()).await);
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
