//! What is refused to those who run the shop, and why: each reason with its text in every language side by side, as they
//! read it in the browser and at the command line.

use std::fmt;

use super::Language;
use crate::id::{NodeId, OrderId};
use crate::money::Msat;

/// Why something was refused to somebody who runs the shop. What each says stands beside it in this file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the texts are the documentation")]
pub enum Reason {
    // Of a host.
    NoUrl,
    NobodysAddress,
    NoPrice,
    PriceTooHigh {
        most: Msat,
    },
    NoRange {
        first: u16,
        last: u16,
    },
    /// `host`: whose the other range is; `None` for this very host's.
    RangeOverlaps {
        range: (u16, u16),
        other: (u16, u16),
        host: Option<String>,
        ip: String,
    },
    PortsTaken {
        ip: String,
    },
    HostKnown {
        id: String,
    },
    TokenKnown,
    NoHostToken,
    // Of people.
    NameLength,
    NameSymbols,
    NameReserved,
    NameTaken {
        name: String,
    },
    OperatorUnknown {
        name: String,
    },
    NoOperators,
    WhichOwner,
    // Of lists and their filters.
    PageGone,
    NoClue,
    NoPerson,
    NoTarget {
        value: String,
    },
    NoNetwork {
        value: String,
    },
    NoBits {
        value: String,
        most: u8,
    },
    NoSiteText {
        text: String,
        most: usize,
    },
    // Of products.
    OnlyBridgesMove,
    OnlyBridgesHaveTargets,
    SweepFirst,
    GiftSpan {
        least: i64,
        most: i64,
    },
    // Of paying back.
    RestoredDebt,
    RefundUnderWay,
    RefundOpen,
    RefundTooYoung,
    NoOpenRefund,
    RefundKnown,
    RequestOver,
    RequestOtherNetwork,
    RequestPaid {
        order: OrderId,
    },
    AsksOther {
        asked: Msat,
        owed: Msat,
    },
    AmountTwice {
        asked: Msat,
    },
    AmountMissing {
        owed: Msat,
    },
    PaymentFailed {
        why: String,
    },
    // Of nodes and what they have to do.
    NodeWaits,
    OnlyAdministratorMoves,
    OnlyAdministratorFiles,
    InvoicesOpen {
        count: u32,
        node: NodeId,
    },
    InvoicesStay {
        count: u32,
        node: NodeId,
    },
    OnlyNodeEnds,
    // Of jobs and channels.
    RunsAlready,
    TooManyChannels {
        most: usize,
    },
    JustTried {
        secs: i64,
    },
}

/// In English, for logs and the command line.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Reason {
    /// What people read.
    pub fn text(&self, language: Language) -> String {
        let [english, german] = self.both();
        match language {
            Language::English => english,
            Language::German => german,
        }
    }

    /// In English and in German.
    fn both(&self) -> [String; 2] {
        match self {
            Self::NoUrl => fixed("Enter a valid URL.", "Bitte eine gültige URL angeben."),
            Self::NobodysAddress => fixed(
                "This is the address of no machine: nobody could reach the host there.",
                "Das ist die Adresse keines Rechners: Niemand könnte den Host dort erreichen.",
            ),
            Self::NoPrice => fixed(
                "Must be at least 1 msat while it is offered: an invoice over 0 takes any amount.",
                "Muss mindestens 1 msat sein, solange es angeboten wird: Eine Rechnung über 0 nimmt jeden Betrag.",
            ),
            Self::TokenKnown => fixed("Another host has this token.", "Ein anderer Host hat dieses Token."),
            Self::NoHostToken => {
                fixed("A token has 40 characters: 0-9 and a-f.", "Ein Token hat 40 Zeichen: 0-9 und a-f.")
            }
            Self::NameLength => fixed("A name has 1 to 150 characters.", "Ein Name hat 1 bis 150 Zeichen."),
            Self::NameSymbols => fixed(
                "A name has no colon, no blanks and nothing that can't be seen.",
                "Ein Name hat keinen Doppelpunkt, keine Leerzeichen und nichts Unsichtbares.",
            ),
            Self::NameReserved => fixed("This name is reserved.", "Dieser Name ist reserviert."),
            Self::NoOperators => fixed(
                "Add an operator first: `operator add NAME --role administrator`.",
                "Bitte zuerst einen Betreiber anlegen: `operator add NAME --role administrator`.",
            ),
            Self::WhichOwner => fixed(
                "There are several operators: name the owner.",
                "Es gibt mehrere Betreiber: bitte den Besitzer nennen.",
            ),
            Self::PageGone => fixed(
                "It is not there any more: begin with the first page again.",
                "Das gibt es nicht mehr: bitte wieder mit der ersten Seite beginnen.",
            ),
            Self::NoClue => fixed(
                "Orders are found by their id, that of their product, or a payment hash.",
                "Bestellungen findet man mit ihrer Id, der ihres Produkts oder einem Zahlungs-Hash.",
            ),
            Self::NoPerson => fixed(
                "People are named operator:<name>, cli, or cli:<account>.",
                "Personen heißen operator:<Name>, cli oder cli:<Konto>.",
            ),
            Self::OnlyBridgesMove => {
                fixed("Only a bridge has a port of its own.", "Nur eine Brücke hat einen eigenen Port.")
            }
            Self::OnlyBridgesHaveTargets => {
                fixed("Only a bridge has a target to deny.", "Nur eine Brücke hat ein Ziel, das man sperren kann.")
            }
            Self::SweepFirst => fixed(
                "After a restore something may stand at ports that are free here: sweep the host first.",
                "Nach einer Wiederherstellung kann an Ports etwas stehen, die hier frei sind: bitte zuerst den Host prüfen.",
            ),
            Self::RestoredDebt => fixed(
                "This order came out of a backup that was restored. It may have been paid back between that backup and the restore, \
                 which the shop then does not know: look through the node's payments. If it was not paid, say so with \
                 --not-paid-since-the-backup; if it was, note it with `order resolve`.",
                "Diese Bestellung kam aus einer wiederhergestellten Sicherung. Zwischen Sicherung und Wiederherstellung kann sie \
                 zurückgezahlt worden sein, was der Shop dann nicht weiß: Sehen Sie die Zahlungen des Knotens durch. Wurde nicht \
                 gezahlt, sagen Sie es dazu; wurde gezahlt, vermerken Sie es als von Hand zurückgezahlt.",
            ),
            Self::RefundUnderWay => fixed(
                "Another refund of this order is being paid. Try again in a moment.",
                "Eine andere Rückzahlung dieser Bestellung wird gerade gezahlt. Bitte gleich noch einmal versuchen.",
            ),
            Self::RefundOpen => fixed(
                "A refund of this order has been begun. Pay back again (`order refund`): that learns what became of it, and never \
                 pays twice. If its wallet is lost, say what became of it (`order resolve … --refund-outcome`).",
                "Eine Rückzahlung dieser Bestellung wurde begonnen. Noch einmal zurückzahlen (`order refund`) erfährt, was daraus \
                 wurde, und zahlt nie zweimal. Ist die Wallet verloren, sagen Sie, was daraus wurde (`order resolve … \
                 --refund-outcome`).",
            ),
            Self::RefundTooYoung => fixed(
                "This refund was begun moments ago and may still be paid. Wait a few minutes.",
                "Diese Rückzahlung wurde eben erst begonnen und kann noch gezahlt werden. Bitte einige Minuten warten.",
            ),
            Self::NoOpenRefund => fixed(
                "No refund of this order has an outcome that is not known.",
                "Keine Rückzahlung dieser Bestellung hat einen unbekannten Ausgang.",
            ),
            Self::RefundKnown => fixed(
                "The node knows of this payment: pay back again (`order refund`), which learns what became of it.",
                "Der Knoten kennt diese Zahlung: noch einmal zurückzahlen (`order refund`) erfährt, was daraus wurde.",
            ),
            Self::RequestOver => fixed(
                "The payment request has expired; ask for a new one.",
                "Die Zahlungsanforderung ist abgelaufen; bitte um eine neue bitten.",
            ),
            Self::RequestOtherNetwork => fixed(
                "The payment request is for another network than the order was paid on.",
                "Die Zahlungsanforderung ist für ein anderes Netz als das, in dem die Bestellung bezahlt wurde.",
            ),
            Self::NodeWaits => fixed(
                "The shop would connect to where this node is, and only an administrator may have it do that. Ask one to enable \
                 it.",
                "Der Shop würde sich dorthin verbinden, wo dieser Knoten ist, und das darf ihm nur ein Administrator sagen. Bitten \
                 Sie einen, ihn einzuschalten.",
            ),
            Self::OnlyAdministratorMoves => fixed(
                "Only an administrator says where the shop connects to. Ask one, or add another node.",
                "Wohin der Shop sich verbindet, sagt nur ein Administrator. Bitten Sie einen, oder fügen Sie einen anderen Knoten \
                 hinzu.",
            ),
            Self::OnlyAdministratorFiles => fixed(
                "Only an administrator names files or sockets of the shop's machine. Paste certificate and macaroon instead.",
                "Dateien und Sockets auf dem Rechner des Shops nennt nur ein Administrator. Fügen Sie Zertifikat und Macaroon \
                 stattdessen ein.",
            ),
            Self::OnlyNodeEnds => fixed(
                "Only the node says how this ends: an invoice that is not cancelled there could still be paid, and held money must \
                 be taken or go back. Bring the node back (`node check`), or point the record to where it is.",
                "Wie das endet, sagt nur der Knoten: Eine Rechnung, die dort nicht storniert ist, könnte noch bezahlt werden, und \
                 Gehaltenes muss genommen werden oder zurückgehen. Bringen Sie den Knoten zurück, oder sagen Sie, wo er jetzt ist.",
            ),
            Self::RunsAlready => fixed("It is running already.", "Es läuft schon."),
            Self::PriceTooHigh { most: Msat(most) } => {
                [format!("Prices are in msat; the most is {most}."), format!("Preise sind in msat; höchstens {most}.")]
            }
            Self::NoRange { first, last } => {
                [format!("{first}-{last} is no range of ports."), format!("{first}-{last} ist kein Bereich von Ports.")]
            }
            Self::RangeOverlaps { range: (first, last), other: (from, to), host: None, ip } => [
                format!("{first}-{last} overlaps {from}-{to} of this host on {ip}."),
                format!("{first}-{last} überschneidet sich mit {from}-{to} dieses Hosts auf {ip}."),
            ],
            Self::RangeOverlaps { range: (first, last), other: (from, to), host: Some(host), ip } => [
                format!("{first}-{last} overlaps {from}-{to} of host {host} on {ip}."),
                format!("{first}-{last} überschneidet sich mit {from}-{to} von Host {host} auf {ip}."),
            ],
            Self::PortsTaken { ip } => [
                format!("Ports or aliases that this host sold are in use on {ip} already."),
                format!("Ports oder Aliasse, die dieser Host verkauft hat, sind auf {ip} schon belegt."),
            ],
            Self::HostKnown { id } => [
                format!("There is or was already a host {id}."),
                format!("Einen Host {id} gibt es schon, oder es gab ihn."),
            ],
            Self::NameTaken { name } => {
                [format!("There is already an operator {name:?}."), format!("Es gibt schon einen Betreiber {name:?}.")]
            }
            Self::OperatorUnknown { name } => [
                format!("There is no operator {name:?}: see `operator list`."),
                format!("Es gibt keinen Betreiber {name:?}."),
            ],
            Self::NoTarget { value } => [
                format!("{value:?} is neither an .onion address nor one with a port."),
                format!("{value:?} ist weder eine .onion-Adresse noch eine mit Port."),
            ],
            Self::NoNetwork { value } => [
                format!("{value:?} is neither an IP address nor a network such as 203.0.113.0/24 or 2001:db8::/32."),
                format!("{value:?} ist weder eine IP-Adresse noch ein Netz wie 203.0.113.0/24 oder 2001:db8::/32."),
            ],
            Self::NoBits { value, most } => [
                format!("{value:?} is no network: after the slash stand its bits, 1 to {most}."),
                format!("{value:?} ist kein Netz: Nach dem Schrägstrich stehen seine Bits, 1 bis {most}."),
            ],
            Self::NoSiteText { text, most } => [
                format!("{text:?} can't be this: 1 to {most} characters, no address of a page."),
                format!("{text:?} geht hier nicht: 1 bis {most} Zeichen, keine Adresse einer Seite."),
            ],
            Self::GiftSpan { least, most } => {
                [format!("Give from {least} to {most} seconds."), format!("Geben Sie von {least} bis {most} Sekunden.")]
            }
            Self::RequestPaid { order } => [
                format!("This payment request was already used for order {order}; ask for a new one."),
                format!(
                    "Diese Zahlungsanforderung wurde schon für Bestellung {order} benutzt; bitte um eine neue bitten."
                ),
            ],
            Self::AsksOther { asked, owed } => [
                format!("The payment request asks for {asked}, but {owed} are owed."),
                format!("Die Zahlungsanforderung verlangt {asked}, geschuldet sind {owed}."),
            ],
            Self::AmountTwice { asked } => [
                format!("The payment request itself asks for {asked}; leave the amount out."),
                format!("Die Zahlungsanforderung verlangt selbst {asked}; lassen Sie den Betrag weg."),
            ],
            Self::AmountMissing { owed: Msat(owed) } => [
                format!("The payment request names no amount: say that it is what is owed, {owed}."),
                format!("Die Zahlungsanforderung nennt keinen Betrag: Sagen Sie, dass es der geschuldete ist, {owed}."),
            ],
            Self::PaymentFailed { why } => [
                format!("The payment failed, nothing was paid: {why}."),
                format!("Die Zahlung ist gescheitert, nichts wurde gezahlt: {why}."),
            ],
            Self::InvoicesOpen { count, node } => [
                format!(
                    "{count} invoices of this node are not final. Disable it (`node set {node} --is-enabled=false`), and remove it \
                     when they are."
                ),
                format!(
                    "{count} Rechnungen dieses Knotens sind nicht abgeschlossen. Schalten Sie ihn ab, und entfernen Sie ihn, wenn \
                     sie es sind."
                ),
            ],
            Self::InvoicesStay { count, node } => [
                format!(
                    "{count} invoices of this node are not final. If another node is there, add it as a new one (`node add`) and \
                     disable this one (`node set {node} --is-enabled=false`). If this very node has moved, say so with --moved."
                ),
                format!(
                    "{count} Rechnungen dieses Knotens sind nicht abgeschlossen. Steht dort ein anderer Knoten, fügen Sie ihn neu \
                     hinzu und schalten diesen ab. Ist derselbe Knoten umgezogen, sagen Sie es dazu."
                ),
            ],
            Self::TooManyChannels { most } => [
                format!("There are {most} channels already. Remove one first."),
                format!("Es gibt schon {most} Kanäle. Bitte zuerst einen entfernen."),
            ],
            Self::JustTried { secs } => [
                format!("It was used a moment ago: try again in {secs} s."),
                format!("Das wurde eben erst benutzt: bitte in {secs} s noch einmal."),
            ],
        }
    }
}

/// What always says the same.
fn fixed(english: &str, german: &str) -> [String; 2] {
    [english.to_owned(), german.to_owned()]
}
