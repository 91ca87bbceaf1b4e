//! The suite of `tests/it/lightning_contract` against real nodes: those of its rules whose scenes can be driven there.
//! What it drives by faults of the simulated node has scenes of its own here, or can't be made to happen.

#[path = "../../it/lightning_contract/check.rs"]
#[allow(dead_code, reason = "some of its rules are for a simulated node")]
mod check;
#[path = "../../it/lightning_contract/credentials.rs"]
#[allow(dead_code, reason = "some of its rules are for a simulated node")]
mod credentials;
#[path = "../../it/lightning_contract/failures.rs"]
#[allow(dead_code, reason = "some of its rules are for a simulated node")]
mod failures;
#[path = "../../it/lightning_contract/holds.rs"]
#[allow(dead_code, reason = "some of its rules are for a simulated node")]
mod holds;
#[path = "../../it/lightning_contract/invoices.rs"]
#[allow(dead_code, reason = "some of its rules are for a simulated node")]
mod invoices;
#[path = "../../it/lightning_contract/settlements.rs"]
#[allow(dead_code, reason = "some of its rules are for a simulated node")]
mod settlements;
mod world;

use world::{Kind, World};

/// Runs rules of the suite for one kind of node.
macro_rules! contract {
    ($module:ident, $kind:expr, $($group:ident: [$($rule:ident),+ $(,)?]),+ $(,)?) => {
        pub mod $module {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs real nodes: make test-nodes"]
                async fn $rule() {
                    super::$group::$rule(World::new($kind).await).await;
                }
            )+)+
        }
    };
}

macro_rules! lnd_contract {
    ($module:ident, $kind:expr) => {
        contract!($module, $kind,
            invoices: [
                a_new_invoice_has_the_terms_that_were_asked_for,
                making_an_invoice_twice_gives_the_same_one,
                an_unknown_hash_is_no_error,
                a_cancelled_invoice_cannot_be_paid,
                cancelling_twice_is_fine,
                a_paid_invoice_cannot_be_cancelled,
                an_expired_invoice_is_cancelled_or_gone,
                more_than_asked_is_reported_as_it_came,
                open_invoices_are_paged_oldest_first,
                all_invoices_are_paged_oldest_first_whatever_became_of_them,
                an_invoice_of_another_network_is_refused_and_cancelled,
                the_node_tells_about_itself,
                many_calls_at_once_all_succeed,
            ],
            settlements: [
                only_settlements_after_the_cursor_are_replayed,
                a_cursor_of_zero_replays_nothing,
                gaps_between_indexes_do_no_harm,
                new_settlements_arrive_and_nothing_else,
                a_watched_invoice_shows_its_present_state_then_its_changes,
                the_supervisor_reconnects_and_misses_nothing,
            ],
            holds: [
                a_held_payment_is_taken_with_the_preimage,
                a_held_payment_is_not_among_the_settlements,
                a_held_payment_can_be_given_back,
                what_is_not_held_cannot_be_taken,
            ],
            failures: [
                a_restarted_node_is_found_again,
                a_stopped_node_is_refused,
            ],
            credentials: [
                a_renewed_macaroon_is_picked_up,
                a_read_only_macaroon_adds_the_details,
                a_macaroon_of_another_node_is_wrong,
                good_details_do_not_hide_a_wrong_macaroon_for_invoices,
                a_macaroon_that_can_spend_is_refused_before_anything_is_sent,
                a_macaroon_that_can_spend_is_used_where_that_is_allowed,
            ],
            check: [
                a_good_node_says_what_it_is,
                a_stopped_node_is_explained,
                a_wrong_certificate_is_explained,
                a_wrong_macaroon_is_explained,
                a_too_powerful_macaroon_is_explained,
                a_missing_macaroon_file_is_explained,
                a_wrong_network_is_explained,
                a_silent_node_is_explained,
            ],
        );
    };
}

lnd_contract!(lnd_scenes_by_grpc, Kind::LndGrpc);
lnd_contract!(lnd_scenes_by_rest, Kind::LndRest);

contract!(cln_scenes, Kind::CoreLightning,
    invoices: [
        a_new_invoice_has_the_terms_that_were_asked_for,
        making_an_invoice_twice_gives_the_same_one,
        an_unknown_hash_is_no_error,
        a_cancelled_invoice_cannot_be_paid,
        cancelling_twice_is_fine,
        a_paid_invoice_cannot_be_cancelled,
        an_expired_invoice_is_cancelled_or_gone,
        open_invoices_are_paged_oldest_first,
        all_invoices_are_paged_oldest_first_whatever_became_of_them,
        an_invoice_of_another_network_is_refused_and_cancelled,
        the_node_tells_about_itself,
        many_calls_at_once_all_succeed,
    ],
    settlements: [
        only_settlements_after_the_cursor_are_replayed,
        new_settlements_arrive_and_nothing_else,
        a_watched_invoice_shows_its_present_state_then_its_changes,
        the_supervisor_reconnects_and_misses_nothing,
    ],
    holds: [
        holding_is_refused_clearly,
    ],
    failures: [
        a_restarted_node_is_found_again,
        a_stopped_node_is_refused,
    ],
    check: [
        a_good_node_says_what_it_is,
        a_stopped_node_is_explained,
        a_wrong_network_is_explained,
        a_silent_node_is_explained,
    ],
);
