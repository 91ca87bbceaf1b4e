//! What stands in databases and in the API by name stays what it is: a database of yesterday is read tomorrow.

use std::fmt::Write;

use crate::account::{LoginFault, Scope};
use crate::alert::{AlertTopic, Severity};
use crate::alert_message::MessageKind;
use crate::deny_list::{DenyKind, DenyStatus};
use crate::host::PortKind;
use crate::id::{HostId, NodeId, OperatorId};
use crate::lightning::{Network, NodeError, NodeErrorKind};
use crate::node::NodeKind;
use crate::operator::Role;
use crate::principal::Principal;
use crate::product::{ProductKind, ProductStatus};
use crate::purchase::{Delivery, InvoiceState, OrderStatus, PurchaseKind};

#[test]
fn names_are_those_that_are_stored_and_say_what_belongs_to_them() {
    let mut text = String::new();
    for status in OrderStatus::ALL {
        writeln!(text, "order {} open={}", status.letter(), status.is_open()).unwrap();
    }
    for state in InvoiceState::ALL {
        writeln!(text, "invoice {} live={}", state.name(), state.is_live()).unwrap();
    }
    for status in ProductStatus::ALL {
        writeln!(text, "product {}", status.letter()).unwrap();
    }
    for delivery in [Delivery::None, Delivery::Awaiting, Delivery::Delivered] {
        writeln!(text, "delivery {}", delivery.name()).unwrap();
    }
    for kind in NodeKind::ALL {
        let (holds, socket, port) = (kind.can_hold(), kind.is_socket(), kind.default_port());
        writeln!(text, "node {} holds={holds} socket={socket} port={port}", kind.name()).unwrap();
    }
    for severity in Severity::ALL {
        writeln!(text, "severity {} rank={}", severity.name(), severity.rank()).unwrap();
    }
    for topic in AlertTopic::ALL {
        let (severity, looked_at) = (topic.severity().name(), topic.is_looked_at());
        let most = topic.most_open();
        writeln!(text, "alert {} {severity} looked_at={looked_at} most_open={most:?}", topic.name()).unwrap();
    }
    for status in DenyStatus::ALL {
        writeln!(text, "deny {} denies={}", status.name(), status.denies()).unwrap();
    }
    insta::assert_snapshot!("names", text);
    assert_eq!([PurchaseKind::First, PurchaseKind::Extension].map(PurchaseKind::name), ["first", "extension"]);
}

/// Each is read again as what it was written as, and no other word is read as one.
macro_rules! read_again {
    ($type:ty, $all:expr, $name:ident, $names:expr) => {
        let names: Vec<&str> = $all.into_iter().map(|value: $type| value.$name()).collect();
        assert_eq!(names, $names, stringify!($type));
        assert!($all.into_iter().all(|value| <$type>::parse(value.$name()) == Some(value)), stringify!($type));
        assert_eq!(<$type>::parse("nobody"), None, stringify!($type));
    };
}

#[test]
fn what_was_written_by_name_is_read_again_as_the_same() {
    read_again!(ProductKind, [ProductKind::TorBridge, ProductKind::NostrAlias], name, ["tor_bridge", "nostr_alias"]);
    read_again!(OrderStatus, OrderStatus::ALL, letter, ["I", "K", "L", "M", "T", "P", "R", "N", "S"]);
    read_again!(ProductStatus, ProductStatus::ALL, letter, ["I", "P", "A", "S", "H", "Z", "D", "F"]);
    let states = ["initial", "open", "held", "settling", "cancelling", "paid", "expired", "void"];
    read_again!(InvoiceState, InvoiceState::ALL, name, states);
    read_again!(NodeKind, NodeKind::ALL, name, ["lnd_grpc", "lnd_rest", "cln"]);
    read_again!(Role, [Role::Administrator, Role::Operator], name, ["administrator", "operator"]);
    read_again!(Scope, Scope::ALL, name, ["read", "sell", "admin"]);
    read_again!(LoginFault, [LoginFault::Password, LoginFault::Code], name, ["password", "code"]);
    read_again!(Severity, Severity::ALL, name, ["info", "warning", "critical"]);
    let kinds = [MessageKind::Alert, MessageKind::Summary, MessageKind::Test];
    read_again!(MessageKind, kinds, name, ["alert", "summary", "test"]);
    read_again!(DenyKind, [DenyKind::Target, DenyKind::Ip], name, ["target", "ip"]);
    let statuses = ["initial", "proposed", "in_review", "neutral", "recommended", "denied"];
    read_again!(DenyStatus, DenyStatus::ALL, name, statuses);
    read_again!(PortKind, [PortKind::TorBridge, PortKind::RsshTunnel], letter, ["T", "R"]);
    for topic in AlertTopic::ALL {
        assert_eq!(AlertTopic::parse(topic.name()), Some(topic));
    }
    assert_eq!(AlertTopic::parse(""), None);
    assert_eq!(NodeKind::parse("lnd-grpc"), Some(NodeKind::LndGrpc), "as flags write it");
}

#[test]
fn networks_are_understood_in_every_nodes_words() {
    for (words, name) in [
        (&["mainnet", "bitcoin"][..], "mainnet"),
        (&["testnet", "testnet3", "testnet4"], "testnet"),
        (&["signet"], "signet"),
        (&["regtest"], "regtest"),
    ] {
        for word in words {
            assert_eq!(Network::parse(word).map(Network::name), Some(name), "{word}");
        }
    }
    assert_eq!(Network::parse("litecoin"), None);
}

#[test]
fn the_change_log_names_everybody_in_their_own_way() {
    let id = uuid::Uuid::nil();
    let named = |who: Principal| who.log_name().into_owned();
    assert_eq!(named(Principal::Host(HostId(id))), format!("host:{id}"));
    assert_eq!(named(Principal::Node(NodeId(id))), format!("node:{id}"));
    assert_eq!(named(Principal::Administrator("anna".to_owned())), "operator:anna");
    assert_eq!(named(Principal::Operator(OperatorId(2), "otto".to_owned())), "operator:otto");
    assert_eq!([named(Principal::Buyer), named(Principal::Shop)], ["buyer", "shop"]);
    assert_eq!(named(Principal::CommandLine(None)), "cli");
    assert_eq!(named(Principal::CommandLine(Some("root".to_owned()))), "cli:root");
}

#[test]
fn only_a_refusal_before_the_question_or_an_answer_is_certain() {
    use NodeErrorKind as K;
    let all = [
        K::Refused,
        K::ConnectTimedOut,
        K::WrongCertificate,
        K::ExpiredCertificate,
        K::WrongMacaroon,
        K::TooPowerfulMacaroon,
        K::BadCredentials,
        K::WrongNetwork,
        K::OtherNode,
        K::NotSynced,
        K::TimedOut,
        K::Unavailable,
        K::NotServed,
        K::ClocksApart,
        K::Rejected,
    ];
    let those = |is: fn(&NodeError) -> bool| -> Vec<K> {
        all.into_iter().filter(|kind| is(&NodeError::new(*kind, "why"))).collect()
    };
    assert_eq!(those(NodeError::may_have_happened), [K::TimedOut, K::Unavailable]);
    assert_eq!(those(NodeError::is_absence), [K::Refused, K::ConnectTimedOut, K::TimedOut, K::Unavailable]);
    assert_eq!(those(NodeError::is_an_answer), [K::WrongMacaroon, K::NotSynced, K::NotServed, K::Rejected]);
}
