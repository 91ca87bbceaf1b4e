//! The German texts.

use super::{Ending, Language, Message, OnionFault, OrderMessage};
use crate::account::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordFault};

/// What an order says.
pub(super) fn order(message: &OrderMessage) -> String {
    let text = match message {
        OrderMessage::Probing => "Es wird geprüft, ob das Ziel erreichbar ist; die Rechnung folgt.",
        OrderMessage::PortTrial => "Es wird geprüft, ob der Port des Hosts frei ist; die Rechnung folgt.",
        OrderMessage::Held => {
            "Bezahlt, der Host ist an der Reihe. Die Zahlung wird erst eingezogen, wenn der Host geliefert hat."
        }
        OrderMessage::Cancelling(ending) => cancelling(*ending),
        OrderMessage::Ended(ending) => ended(*ending),
        OrderMessage::CancelledElsewhere => {
            "Die Rechnung ist am Lightning-Node des Shops storniert worden, bevor sie bezahlt war. Es wurde nichts \
             berechnet."
        }
        OrderMessage::HoldLost => {
            "Die Zahlung ist am Lightning-Node des Shops storniert worden, bevor sie eingezogen werden konnte. Das lag \
             nicht am Host. Das Geld ist wieder in der Wallet."
        }
        OrderMessage::Vanished => {
            "Der Lightning-Node des Shops kennt diese Rechnung nicht mehr; ob sie bezahlt wurde, ist nicht bekannt. Der \
             Betreiber ist benachrichtigt. Falls bezahlt wurde, bitte eine Erstattung verlangen."
        }
        OrderMessage::NoInvoice => {
            "Der Lightning-Node des Shops konnte keine Rechnung ausstellen. Es wurde nichts berechnet; bitte später \
             noch einmal versuchen."
        }
        OrderMessage::Denied => DENIED,
        OrderMessage::NoPorts => "Bei diesem Host ist kein Port für eine Tor-Bridge frei. Es wurde nichts berechnet.",
        OrderMessage::PortsUnchecked => {
            "Die Ports des Hosts können im Moment nicht geprüft werden. Es wurde nichts berechnet; bitte später noch \
             einmal versuchen."
        }
        OrderMessage::Undelivered => {
            "Bezahlt, aber der Host hat nicht geliefert. Der Betreiber ist benachrichtigt und schuldet eine Erstattung; \
             eine verspätete Lieferung ist noch möglich."
        }
        OrderMessage::Underpaid => {
            "Es ist weniger angekommen als verlangt. Der Betreiber ist benachrichtigt und schuldet eine Erstattung."
        }
        OrderMessage::Undeliverable => {
            "Bezahlt, aber das Produkt kann nicht mehr geliefert werden. Der Betreiber ist benachrichtigt und schuldet \
             eine Erstattung."
        }
        OrderMessage::PaidAgain => {
            "Es wurde mehr als einmal bezahlt. Der Betreiber ist benachrichtigt und schuldet eine Erstattung dessen, \
             was noch nicht zurückgezahlt ist."
        }
        OrderMessage::LateReturned => "Zu spät geliefert. Der Betreiber nimmt es zurück und schuldet eine Erstattung.",
        OrderMessage::Refunded => "Die Zahlung wurde erstattet.",
        OrderMessage::DeliveredLate(secs) => return format!("{secs} Sekunden nach der Zahlung geliefert."),
        // What a probe found is only known in English, and half a translation would be worse than none.
        OrderMessage::TargetWarned(_) | OrderMessage::TargetRefused(_) => return super::en::order(message),
        OrderMessage::Free(text) => text,
    };
    text.to_owned()
}

const DENIED: &str = "Dieses Ziel (oder die eigene Adresse) steht auf der Sperrliste dieses Shops. Falls das ein Irrtum \
                      ist, bitte an den Betreiber wenden.";

const fn cancelling(ending: Ending) -> &'static str {
    match ending {
        Ending::Expired => "Die Rechnung wurde nicht rechtzeitig bezahlt und wird gerade storniert.",
        Ending::Replaced => {
            "Eine neuere Bestellung ist an die Stelle dieser getreten, deren Rechnung wird gerade storniert."
        }
        Ending::SwitchedOff => "Der Betreiber hat dieses Produkt abgeschaltet. Die Rechnung wird gerade storniert.",
        Ending::SwitchedOffHeld => {
            "Der Betreiber hat dieses Produkt abgeschaltet. Die Zahlung wird gerade zurückgegeben."
        }
        Ending::Returned => "Der Host hat nicht rechtzeitig geliefert. Die Zahlung wird gerade zurückgegeben.",
        Ending::HoldFailed => {
            "Der Host hat gemeldet, dass er nicht liefern kann. Die Zahlung wird gerade zurückgegeben."
        }
        Ending::HoldRefused => {
            "Die Zahlung konnte nicht angenommen werden (zu wenig oder zu kurz vor ihrer Frist). Sie wird gerade \
             zurückgegeben."
        }
        Ending::HoldHopeless => "Das Produkt kann nicht mehr geliefert werden. Die Zahlung wird gerade zurückgegeben.",
        Ending::HoldUnplaced => "Der Host hat dafür nichts mehr frei. Die Zahlung wird gerade zurückgegeben.",
    }
}

const fn ended(ending: Ending) -> &'static str {
    match ending {
        Ending::Expired => {
            "Die Rechnung wurde nicht rechtzeitig bezahlt und ist storniert worden. Es wurde nichts berechnet."
        }
        Ending::Replaced => "Eine neuere Bestellung ist an die Stelle dieser getreten. Es wurde nichts berechnet.",
        Ending::SwitchedOff => "Der Betreiber hat dieses Produkt abgeschaltet. Es wurde nichts berechnet.",
        Ending::SwitchedOffHeld => {
            "Der Betreiber hat dieses Produkt abgeschaltet. Die Zahlung ist storniert worden, das Geld ist wieder in \
             der Wallet."
        }
        Ending::Returned => {
            "Der Host hat nicht rechtzeitig geliefert. Die Zahlung ist storniert worden, das Geld ist wieder in der \
             Wallet."
        }
        Ending::HoldFailed => {
            "Der Host hat gemeldet, dass er nicht liefern kann. Die Zahlung ist storniert worden, das Geld ist wieder \
             in der Wallet."
        }
        Ending::HoldRefused => {
            "Die Zahlung konnte nicht angenommen werden (zu wenig oder zu kurz vor ihrer Frist). Sie ist storniert \
             worden, das Geld ist wieder in der Wallet."
        }
        Ending::HoldHopeless => {
            "Das Produkt kann nicht mehr geliefert werden. Die Zahlung ist storniert worden, das Geld ist wieder in der \
             Wallet."
        }
        Ending::HoldUnplaced => {
            "Der Host hat dafür nichts mehr frei. Die Zahlung ist storniert worden, das Geld ist wieder in der Wallet."
        }
    }
}

/// What is wrong.
pub(super) fn message(message: &Message) -> String {
    let text = match message {
        Message::NotAuthenticated => "Anmeldedaten fehlen.",
        Message::Forbidden => "Das ist mit diesen Rechten nicht erlaubt.",
        Message::NotFound => "Nicht gefunden.",
        Message::NotAcceptable => "Keine Antwortform passt zum Accept-Header der Anfrage.",
        Message::MethodNotAllowed { method } => {
            return format!("Die Methode \"{method}\" ist hier nicht erlaubt.");
        }
        Message::Internal { id } => {
            return format!("Interner Fehler. Der Betreiber findet ihn unter {id}.");
        }
        Message::Throttled { secs } => {
            return format!("Zu viele Anfragen. Bitte in {secs} Sekunden noch einmal versuchen.");
        }
        Message::NotUnderstood => "Die Anfrage wird hier nicht verstanden.",
        Message::TookTooLong => "Das hat zu lange gedauert. Bitte noch einmal versuchen.",
        Message::OneHostLine => {
            "Eine Anfrage braucht genau eine Host-Zeile, mit einem Hostnamen oder einer IP-Adresse."
        }
        Message::OnlyChunked => "Inhalte werden gelesen, wie sie sind: Als Transfer-Encoding gilt nur chunked.",
        Message::SocketOnly => "Unter dieser Adresse wird nur WebSocket gesprochen.",
        Message::ForeignSite => {
            "Diese Anfrage kommt von einer anderen Website und wurde nicht ausgeführt. Hinter einem Proxy muss \
             X-Forwarded-Host die Adresse sein, die der Browser anzeigt."
        }
        Message::MustPost => "Mit Name und Passwort wird das nur als POST angenommen.",
        Message::StorageDown => "Der Shop kann im Moment nichts speichern. Bitte später noch einmal versuchen.",
        Message::ChangedMeanwhile { .. } => "Zur selben Zeit gab es eine andere Änderung; bitte noch einmal versuchen.",
        Message::InvalidToken => "Ungültiges Token.",
        Message::WrongPassword => "Benutzername oder Passwort ist falsch.",
        Message::NoBasicCredentials => "Ungültiger Basic-Header: Die Anmeldedaten fehlen.",
        Message::SpacesInBasic => "Ungültiger Basic-Header: Die Anmeldedaten dürfen keine Leerzeichen enthalten.",
        Message::NoToken => "Ungültiger Token-Header: Das Token fehlt.",
        Message::SpacesInToken => "Ungültiger Token-Header: Das Token darf keine Leerzeichen enthalten.",
        Message::CharactersInToken => "Ungültiger Token-Header: Das Token enthält ungültige Zeichen.",
        Message::TooManyPasswords => "Zu viele falsche Passwörter. Bitte später noch einmal versuchen.",
        Message::PasswordsBusy => "Im Moment werden zu viele Passwörter geprüft. Bitte noch einmal versuchen.",
        Message::SecondFactorNeeded => {
            "Dieses Konto hat einen zweiten Faktor, das Passwort allein genügt nicht. Bitte mit einem Browser anmelden \
             oder ein API-Token verwenden."
        }
        Message::WrongCode => "Dieser Code ist falsch oder wurde schon verwendet.",
        Message::ClockForCodes => {
            "Die Uhr des Shops geht falsch, deshalb können Codes nicht geprüft werden. Bitte einen \
             Wiederherstellungscode verwenden und die Uhr stellen."
        }
        Message::CsrfTokenMissing => "Der Header X-CSRF-Token fehlt oder ist falsch. Bitte die Seite neu laden.",
        Message::TokenMayNot => "Dieses API-Token darf das nicht: Seine Rechte reichen nicht aus.",
        Message::NotWithToken => {
            "Konten werden nicht mit einem API-Token geändert. Bitte mit Name und Passwort anmelden."
        }
        Message::WrongOldPassword => "Das ist nicht Ihr jetziges Passwort.",
        Message::WeakPassword(fault) => return weak_password(*fault),
        Message::LastAdministrator => {
            "Das ist der letzte Administrator, der sich anmelden kann. Bitte zuerst einen anderen anlegen."
        }
        Message::NotFromAfar => {
            "Der erste Administrator wird nur von diesem Rechner oder seinem lokalen Netz aus angelegt, nicht von dieser \
             Adresse."
        }
        Message::SetupLinkOver => {
            "Dieser Link wurde schon benutzt oder ist älter als 15 Minuten. Ein neuer: \
             `ip2tor-shop operator first-run-link`."
        }
        Message::HasAdministrator => "Es gibt schon einen Administrator. Bitte anmelden.",
        Message::TooManyTokens { most } => {
            return format!("Es gibt schon {most} API-Tokens. Bitte zuerst eines widerrufen.");
        }
        Message::NoData => "Keine Daten angegeben",
        Message::NoDictionary { kind } => {
            return format!("Ungültige Daten: Ein Objekt wird erwartet, gekommen ist {kind}.");
        }
        Message::NoJson { line, column, .. } => {
            return format!("Kein gültiges JSON (Zeile {line}, Spalte {column}).");
        }
        Message::UnsupportedMediaType { name } => {
            return format!("Der Medientyp \"{name}\" wird nicht verstanden.");
        }
        Message::HasEncoding => "Der Inhalt wird gelesen, wie er ist: Die Anfrage darf kein Content-Encoding haben.",
        Message::BodyUnreadable => "Der Inhalt der Anfrage konnte nicht gelesen werden.",
        Message::BodyTooLarge { limit } => {
            return format!("Der Inhalt der Anfrage ist größer als {limit} Bytes.");
        }
        Message::BodiesBusy => "Im Moment werden zu viele große Anfragen gelesen. Bitte noch einmal versuchen.",
        Message::TooManyValues { most } => {
            return format!("Der Inhalt der Anfrage hat mehr als {most} Werte.");
        }
        Message::BodyLate => "Der Inhalt der Anfrage kam nicht rechtzeitig.",
        Message::FormUnreadable => "Das Formular konnte nicht gelesen werden.",
        Message::NoBoundary => {
            "Das Formular kann nicht gelesen werden: Der Content-Type braucht eine Boundary von 1 bis 70 Zeichen."
        }
        Message::Required => "Dieses Feld ist zwingend erforderlich.",
        Message::Null => "Dieses Feld darf nicht null sein.",
        Message::Blank => "Dieses Feld darf nicht leer sein.",
        Message::NoString => "Kein gültiger Text.",
        Message::NullCharacters => "Null-Zeichen sind nicht erlaubt.",
        Message::NotPlain => {
            "Steuerzeichen, unsichtbare Zeichen und solche, die die Schreibrichtung ändern, sind nicht erlaubt."
        }
        Message::TooLong { max } => {
            return format!("Dieses Feld darf höchstens {max} Zeichen haben.");
        }
        Message::NoBoolean => "Muss ein gültiger Wahrheitswert sein.",
        Message::NoInteger => "Eine ganze Zahl ist erforderlich.",
        Message::NumberTooLong => "Der Text ist zu lang für eine Zahl.",
        Message::AtMost { max } => {
            return format!("Dieser Wert darf höchstens {max} sein.");
        }
        Message::AtLeast { min } => {
            return format!("Dieser Wert muss mindestens {min} sein.");
        }
        Message::NoDate => {
            "Das Datum hat ein falsches Format. Richtig ist eines von diesen: \
             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        }
        Message::NoChoice { value } => {
            return format!("\"{value}\" ist keine gültige Auswahl.");
        }
        Message::NoneOfChoices { text } => return format!("{text} gehört nicht zu dem, was zur Auswahl steht."),
        Message::NotAvailable => "Diese Auswahl ist nicht verfügbar.",
        Message::NoUuid => "Muss eine gültige UUID sein.",
        Message::NotUuid { text } => return format!("\u{201e}{text}\u{201c} ist keine gültige UUID."),
        Message::EnterUuid => "Bitte eine gültige UUID angeben.",
        Message::EnterAddress => "Bitte eine gültige IPv4- oder IPv6-Adresse angeben.",
        Message::NoPort => "Ein gültiger Port ist erforderlich.",
        Message::NoOnion => "Muss eine .onion-Adresse mit Port sein.",
        Message::NoPortLast => "Am Ende muss ein Port stehen.",
        Message::PortOfDigits { port, guess } => {
            return format!("{port:?} ist kein Port: nur Ziffern. War {guess} gemeint?");
        }
        Message::PortOutOfRange { port } => {
            return format!("{port} ist kein Port: Er muss zwischen 1 und 65535 liegen.");
        }
        Message::NoSlug => "Erlaubt sind nur Buchstaben, Ziffern, Unter- und Bindestriche.",
        Message::AliasReserved => "Dieser Alias ist vergeben. Bitte einen anderen versuchen.",
        Message::NoNostrKey => {
            "Muss ein öffentlicher Nostr-Schlüssel sein: npub1\u{2026} (mit gültiger Prüfsumme) oder 64 \
             hexadezimale Ziffern."
        }
        Message::NobodysKey => {
            "Dieser öffentliche Schlüssel gehört niemandem: Er ist kein Punkt der Kurve. Bitte noch einmal kopieren."
        }
        Message::HostUnknown { id } => {
            return format!("Es gibt keinen Host mit der ID {id}.");
        }
        Message::HostDisabled => "Dieser Host ist im Moment abgeschaltet.",
        Message::HostDraining => {
            "Dieser Host nimmt keine neuen Bestellungen an. Was er verkauft hat, läuft weiter und kann verlängert werden."
        }
        Message::HostSilent => "Dieser Host antwortet im Moment nicht. Bitte später noch einmal versuchen.",
        Message::NoPayments => {
            "Dieser Host kann im Moment keine Zahlungen annehmen. Bitte später noch einmal versuchen."
        }
        Message::ShopBusy => {
            "Der Shop ist mit dem Ausstellen von Rechnungen ausgelastet. Bitte gleich noch einmal versuchen."
        }
        Message::NotOffered { product } => {
            return format!("Dieser Host bietet das Produkt '{product}' im Moment nicht an.");
        }
        Message::AliasesPaused => {
            "Dieser Host kann im Moment keine Bestellungen von Aliassen annehmen. Bitte später noch einmal versuchen."
        }
        Message::AliasTaken { alias } => {
            return format!("Der Alias '{alias}' ist vergeben. Bitte einen anderen versuchen.");
        }
        Message::NeedsAliasAndKey => "Das Produkt 'nostr_alias' braucht 'alias' und 'public_key'",
        Message::NeedsTarget => "Das Produkt 'tor_bridge' braucht 'target'",
        Message::MustAcceptTerms { terms } => {
            return format!("Die Nutzungsbedingungen müssen angenommen werden: {terms}");
        }
        Message::NoFreePorts => "Bei diesem Host ist kein Port für eine Tor-Bridge frei.",
        Message::TooManyPeriods { most } => {
            return format!("Dieser Host verkauft 1 bis {most} Zeiträume auf einmal.");
        }
        Message::OnePriceOnly { price } => {
            return format!("Dieser Code nimmt genau {} sat für einen Zeitraum.", price.in_sats());
        }
        Message::Denied => DENIED,
        Message::NotPaidYet => "Das Produkt ist noch nicht bezahlt und kann darum nicht verlängert werden.",
        Message::SwitchedOff => "Der Betreiber hat dieses Produkt abgeschaltet.",
        Message::NeverDelivered => {
            "Das Produkt wurde nie geliefert und kann darum nicht verlängert werden. Bitte ein neues bestellen."
        }
        Message::NeverEnds => "Das Produkt endet nie und kann darum nicht verlängert werden.",
        Message::StillHeld => {
            "Die Zahlung wird noch gehalten, bis der Host das Produkt aktiviert hat. Bitte in einer Minute noch \
             einmal versuchen."
        }
        Message::HostDown => "Der Host antwortet im Moment nicht. Bitte später noch einmal versuchen.",
        Message::OnTestHost => {
            "Diese Bridge liegt auf einem Test-Host und kann darum nicht verlängert werden. Bitte eine ganz neue \
             bestellen."
        }
        Message::NothingOwed => "Für diese Bestellung wird nichts geschuldet.",
        Message::ClaimUnderWay => {
            "Eine Anforderung dieses Geldes wird schon bezahlt. Bitte in einer Minute noch einmal nachsehen."
        }
        Message::NoPaymentRequest => {
            "Das ist keine Lightning-Rechnung. Bitte in der Wallet eine Rechnung erstellen und ganz kopieren: Sie \
             beginnt mit lnbc."
        }
        Message::RequestUsed => "Diese Rechnung wurde schon benutzt. Bitte in der Wallet eine neue erstellen.",
        Message::RequestExpired => "Diese Rechnung ist abgelaufen, oder läuft gleich ab. Bitte eine neue erstellen.",
        Message::RequestAmount { owed } => {
            return format!("Die Rechnung muss über genau {} sat gehen: So viel wird geschuldet.", owed.in_sats());
        }
        Message::RequestNetwork => "Die Rechnung ist für ein anderes Netz als das, in dem bezahlt wurde.",
        Message::StaleCode => {
            "Was geschuldet wird, hat sich geändert, seit dieser Code gezeigt wurde. Bitte die Seite der Bestellung \
             neu öffnen."
        }
        Message::BeingPaidBack => {
            "Das Produkt wurde nicht rechtzeitig geliefert, und sein Käufer bekommt das Geld in diesem Moment zurück."
        }
        Message::OnlyUsedUp { left } => {
            return format!("Dieser Wert darf höchstens {left} sein: Bandbreite kann nur verbraucht werden.");
        }
        Message::NotPaidAnyMore { from, to } => {
            return format!(
                "Der Status kann nicht von {from} zu {to} wechseln: Das Produkt ist nicht mehr bezahlt \
                (eine gehaltene Zahlung ging an den Käufer zurück)."
            );
        }
        Message::OnlyPendingFails { from, to } => {
            return format!(
                "Der Status kann nicht von {from} zu {to} wechseln: Nur ein Produkt im Status P kann \
                als gescheitert gemeldet werden."
            );
        }
        Message::NoSuchMove { from, to } => {
            return format!(
                "Der Status kann nicht von {from} zu {to} wechseln: Ein Host darf P zu A, P zu F und S \
                zu H ändern."
            );
        }
        Message::OwedToBuyer => "Das Produkt steht einem Käufer zu und kann jetzt nicht gelöscht werden.",
        Message::StillPayable => {
            "Eine Rechnung dafür kann noch bezahlt werden; wenn sie abgelaufen ist, kann das Produkt gelöscht werden."
        }
        Message::DebtRemains => {
            "Dem Käufer wird Geld geschuldet; wenn der Betreiber es zurückgezahlt hat, kann das Produkt gelöscht \
             werden."
        }
        Message::HostOwesProducts => "Auf dem Host liegen Produkte, die Käufern zustehen.",
        Message::HostOwesMoney => {
            "Käufern dieses Hosts wird Geld geschuldet; wenn es zurückgezahlt ist, kann er gelöscht werden."
        }
        Message::OnlyOperator => "Das kann nur der Betreiber ändern.",
        Message::SiteIsFixed => "Die Website des Shops kann hier nicht geändert werden.",
        Message::HostsByOperator => "Hosts werden vom Betreiber hinzugefügt und geändert.",
        Message::NoUnderscores => "Unterstriche sind nicht erlaubt.",
        Message::NameReserved => "Darf nicht www oder shop sein",
        Message::ProductHostIsFixed => "Der Host eines Produkts kann nicht geändert werden.",
        Message::TargetIsFixed => "Das Ziel des Käufers kann nicht geändert werden.",
        Message::AliasIsFixed => "Der Alias des Käufers kann nicht geändert werden.",
        Message::KeyIsFixed => "Der Schlüssel des Käufers kann nicht geändert werden.",
        Message::EndIsFixed => "Das ergibt sich aus dem, was bezahlt wurde, und kann nicht geändert werden.",
        Message::ProductsFromOrders => "Produkte entstehen durch Bestellungen; Änderungen werden mit PATCH gemeldet.",
        Message::OnlyActiveSuspends => "Nur ein aktives Produkt kann ausgesetzt werden.",
        Message::ResolveOrderFirst => "Jemand hat dafür bezahlt; zuerst muss die Bestellung geklärt werden.",
        Message::ExtendFirst => {
            "Es hat keine Zeit oder keine Bandbreite mehr: verlängern Sie es, das bringt es zurück."
        }
        Message::NothingToResume => "Nur ein Produkt, das geliefert wurde und ausgesetzt ist, kann zurückkommen.",
        Message::MoveOnlySuspended => {
            "Nur eine Bridge, die ihr Host abgebaut hat (Status H), kann einen anderen Port bekommen: setzen Sie sie aus, und \
             warten Sie darauf."
        }
        Message::SuspendFirst => {
            "Nur ein ausgesetztes Produkt kann freigegeben werden; es muss zuerst ausgesetzt werden."
        }
        Message::OnlyLateReturns => "Nur was verspätet geliefert wurde, wird zu seinem Preis zurückgenommen.",
        Message::OnlyPaidRetries => {
            "Nur eine Bestellung im Status N, die ganz bezahlt wurde, kann noch einmal geliefert werden."
        }
        Message::WrongOnion(fault, None) => onion(*fault),
        Message::WrongOnion(fault, Some(guess)) => return format!("{} War {guess} gemeint?", onion(*fault)),
        Message::Reason(reason) => return reason.text(Language::German),
        Message::Operator(text) => text,
    };
    text.to_owned()
}

fn weak_password(fault: PasswordFault) -> String {
    match fault {
        PasswordFault::TooShort => format!("Ein Passwort hat mindestens {MIN_PASSWORD_CHARS} Zeichen."),
        PasswordFault::TooLong => format!("Ein Passwort hat höchstens {MAX_PASSWORD_BYTES} Bytes."),
        PasswordFault::LikeTheName => {
            "Dieses Passwort ist kaum mehr als der Name. Bitte ein anderes wählen.".to_owned()
        }
        PasswordFault::Common => {
            "Dieses Passwort gehört zu den ersten, die andere versuchen. Einige Wörter, die nichts miteinander zu tun \
             haben, sind ein gutes."
                .to_owned()
        }
    }
}

const fn onion(fault: OnionFault) -> &'static str {
    match fault {
        OnionFault::OnePort => "Nach der .onion-Adresse darf nur ein Port stehen.",
        OnionFault::HasProtocol => "Darf kein Protokoll wie http:// enthalten.",
        OnionFault::HasUser => "Darf keinen öffentlichen Schlüssel oder Benutzernamen vor einem @ enthalten.",
        OnionFault::Version2 => {
            "Das ist eine Onion-Adresse der Version 2. Die gibt es nicht mehr; nötig ist die Adresse der Version 3."
        }
        OnionFault::WrongLength => "Eine Onion-Adresse der Version 3 hat 56 Zeichen vor .onion.",
        OnionFault::WrongCharacters => "Eine Onion-Adresse hat nur die Zeichen a-z und 2-7.",
        OnionFault::WrongChecksum => "Die Onion-Adresse enthält einen Tippfehler: Ihre Prüfsumme stimmt nicht.",
    }
}
