//! What every kind of Lightning node must do for the shop: one suite, run against each connector
//! over the real protocol of a simulated node.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod connection;
mod credentials;
mod failures;
mod holds;
mod invoices;
mod paying;
mod rights;
mod settlements;
mod strangers;
mod world;

use world::{Kind, World};

/// Runs rules of the suite for one kind of node.
macro_rules! contract {
    ($module:ident, $kind:expr, $($group:ident: [$($rule:ident),+ $(,)?]),+ $(,)?) => {
        mod $module {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    super::$group::$rule(World::new($kind).await).await;
                }
            )+)+
        }
    };
}

/// What every LND does, by gRPC and by REST, and rules that only one of them can follow.
macro_rules! lnd_contract {
    ($module:ident, $kind:expr, $($more:tt)*) => {
        contract!($module, $kind,
            invoices: [
                a_new_invoice_has_the_terms_that_were_asked_for,
                an_invoice_may_carry_the_hash_of_a_text_and_its_node_keeps_the_memo,
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
                a_dropped_stream_ends_with_an_error_and_goes_on_from_the_cursor,
                the_supervisor_reconnects_and_misses_nothing,
            ],
            strangers: [
                spontaneous_payments_disturb_nothing,
                an_invoice_that_the_node_cannot_read_is_passed_over,
                a_state_that_nobody_knows_is_passed_over_unless_it_is_asked_for_by_its_hash,
                an_answer_that_is_too_large_is_asked_for_in_parts,
                a_payment_of_very_many_parts_does_not_end_the_stream,
                pages_begin_after_the_index_that_is_asked_for,
                watching_an_invoice_that_is_gone_ends,
                a_node_that_collects_garbage_cancels_all_the_same,
                a_state_that_is_told_twice_disturbs_no_watcher,
                nothing_is_told_up_to_the_cursor_when_a_node_counts_anew,
            ],
            holds: [
                a_held_payment_is_taken_with_the_preimage,
                a_held_payment_is_not_among_the_settlements,
                a_held_payment_can_be_given_back,
                what_is_not_held_cannot_be_taken,
                the_nearest_expiry_of_the_held_parts_is_known,
            ],
            failures: [
                a_lost_answer_leaves_one_invoice,
                an_answer_lost_with_its_connection_is_uncertain,
                an_unavailable_node_is_an_outage,
                a_slow_node_times_out_and_recovers,
                cut_connections_are_made_anew,
                what_only_asks_is_asked_again_when_its_connection_had_died_unnoticed,
                what_changes_something_is_made_once_when_its_connection_breaks,
                a_restarted_node_is_found_again,
                a_stopped_node_is_refused,
                a_node_that_starts_is_an_outage,
                a_locked_wallet_is_told_as_that,
                held_payments_are_taken_and_given_back_while_the_chain_backend_hangs,
            ],
            credentials: [
                a_renewed_certificate_is_picked_up,
                a_renewed_macaroon_is_picked_up,
                the_stock_invoice_macaroon_is_enough,
                a_read_only_macaroon_adds_the_details,
                a_macaroon_of_another_node_is_wrong,
                good_details_do_not_hide_a_wrong_macaroon_for_invoices,
                a_macaroon_that_can_spend_is_refused_before_anything_is_sent,
                a_macaroon_that_can_spend_is_used_where_that_is_allowed,
            ],
            rights: [
                nothing_is_asked_that_the_macaroon_does_not_permit,
                who_cannot_cancel_makes_no_invoice,
                who_may_not_hold_makes_plain_invoices,
                a_node_without_the_service_for_cancelling_makes_no_invoice,
                a_node_without_the_call_for_holding_makes_plain_invoices,
                a_service_that_went_missing_is_noticed,
                a_lesser_macaroon_still_follows_what_was_sold,
                channels_without_their_peers_receive_nothing,
                a_sample_tells_the_nodes_time_and_is_gone,
            ],
            check: [
                a_good_node_says_what_it_is,
                a_stopped_node_is_explained,
                a_wrong_certificate_is_explained,
                an_expired_certificate_is_explained,
                a_wrong_macaroon_is_explained,
                a_too_powerful_macaroon_is_explained,
                a_missing_macaroon_file_is_explained,
                a_wrong_network_is_explained,
                a_known_invoice_tells_the_network_where_the_macaroon_does_not,
                a_node_behind_the_chain_is_explained,
                a_silent_node_is_explained,
            ],
            paying: [
                a_refund_reaches_the_buyer_once,
                the_fee_limit_is_kept,
                a_payment_whose_answer_is_lost_can_be_tracked,
                the_amount_is_said_exactly_once,
                a_payment_on_another_network_is_not_tried,
                the_macaroon_for_invoices_cannot_pay,
            ],
            $($more)*
        );
    };
}

lnd_contract!(lnd_rest, Kind::LndRest,);
lnd_contract!(lnd_grpc, Kind::LndGrpc,
    connection: [
        one_connection_serves_all_calls,
        a_connection_that_fell_silent_ends_its_streams,
    ],
);

contract!(core_lightning, Kind::CoreLightning,
    invoices: [
        a_new_invoice_has_the_terms_that_were_asked_for,
        an_invoice_may_carry_the_hash_of_a_text_and_its_node_keeps_the_memo,
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
        a_cursor_of_zero_replays_everything,
        gaps_between_indexes_do_no_harm,
        new_settlements_arrive_and_nothing_else,
        a_watched_invoice_shows_its_present_state_then_its_changes,
        a_dropped_stream_ends_with_an_error_and_goes_on_from_the_cursor,
        the_supervisor_reconnects_and_misses_nothing,
    ],
    strangers: [
        spontaneous_payments_disturb_nothing,
        pages_begin_after_the_index_that_is_asked_for,
        watching_an_invoice_that_is_gone_ends,
        watching_an_invoice_that_is_deleted_meanwhile_ends,
        a_node_that_counts_anew_goes_on_with_a_lower_index,
        a_paid_invoice_may_be_forgotten,
    ],
    holds: [
        holding_is_refused_clearly,
    ],
    failures: [
        a_lost_answer_leaves_one_invoice,
        an_answer_lost_with_its_connection_is_uncertain,
        an_unavailable_node_is_an_outage,
        a_slow_node_times_out_and_recovers,
        a_restarted_node_is_found_again,
        a_stopped_node_is_refused,
        a_node_that_starts_is_an_outage,
    ],
    rights: [
        channels_without_their_peers_receive_nothing,
        a_sample_tells_the_nodes_time_and_is_gone,
    ],
    paying: [
        a_refund_reaches_the_buyer_once,
        the_fee_limit_is_kept,
        a_payment_whose_answer_is_lost_can_be_tracked,
        the_amount_is_said_exactly_once,
        a_payment_on_another_network_is_not_tried,
    ],
    check: [
        a_good_node_says_what_it_is,
        a_stopped_node_is_explained,
        a_wrong_network_is_explained,
        a_node_behind_the_chain_is_explained,
        a_silent_node_is_explained,
    ],
);
