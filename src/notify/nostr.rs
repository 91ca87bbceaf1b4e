//! Direct messages over Nostr (NIP-17), to one reader over some relays. A relay learns neither who writes nor what: the
//! message is sealed with the shop's key and wrapped with one that is used once.

mod encryption;
mod relay;
mod wrapping;

use bitcoin::secp256k1::{Keypair, Secp256k1, SecretKey, XOnlyPublicKey};
use futures_util::future::join_all;

use super::outcome::{failed, shortened};
use crate::config::alerts;
use crate::domain::alert_message::Message;
use crate::domain::alias;
use crate::domain::id::SystemRandom;
use crate::domain::time::Timestamp;
use crate::lightning::dial::Dial;
use crate::services::alert_messages::Refusal;

use relay::Relay;
use wrapping::Letter;

/// What is sent has twice grown by a third then, and relays take no more than 64 KiB. Bytes.
const MOST_BYTES: usize = 8000;

/// Somebody who reads their direct messages.
#[derive(Debug)]
pub struct Nostr {
    pub(super) dial: Dial,
    pub(super) config: alerts::Nostr,
}

impl Nostr {
    pub(super) fn place(&self) -> String {
        format!("{} over {}", self.config.to, self.config.relays.join(", "))
    }

    /// It is through when one of the relays has it.
    pub(super) async fn send(&self, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        let sender = self.key().map_err(failed)?;
        let wrapped = self.wrapped(&sender, message, now).map_err(failed)?;
        let tries = self.config.relays.iter().map(async |url| {
            let relay = Relay { url, dial: &self.dial, sender: &sender, now, limit: relay::TIME_LIMIT };
            relay.publish(&wrapped).await.map_err(|why| format!("{url}: {why}"))
        });
        let refused: Vec<String> = join_all(tries).await.into_iter().filter_map(Result::err).collect();
        if refused.len() < self.config.relays.len() { Ok(()) } else { Err(failed(refused.join("; "))) }
    }

    fn wrapped(&self, sender: &Keypair, message: &Message, now: Timestamp) -> Result<serde_json::Value, String> {
        let reader = alias::public_key_bytes(&self.config.to).and_then(|key| XOnlyPublicKey::from_slice(&key).ok());
        let text = format!("{}\n\n{}", message.title, message.text);
        let letter = Letter {
            reader: &reader.ok_or_else(|| "the reader's key is none".to_owned())?,
            subject: &message.title,
            text: &shortened(&text, MOST_BYTES),
            made_at: message.made_at,
        };
        wrapping::wrap(sender, &letter, now, &SystemRandom)
    }

    fn key(&self) -> Result<Keypair, String> {
        let place = &self.config.key;
        let secret = place.read()?;
        let key = alias::secret_key_bytes(secret.reveal()).and_then(|key| SecretKey::from_slice(&key).ok());
        let wrong =
            || format!("{place} is no secret key of Nostr: nsec1… or 64 hexadecimal digits (openssl rand -hex 32)");
        Ok(Keypair::from_secret_key(&Secp256k1::new(), &key.ok_or_else(wrong)?))
    }
}

#[cfg(test)]
mod tests {
    use super::relay::tests::{Manner, relay};
    use super::*;
    use crate::config::SecretSource;
    use crate::domain::alert::Severity;
    use crate::domain::alert_message::MessageKind;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn nostr(dir: &tempfile::TempDir, relays: Vec<String>) -> Nostr {
        let path = dir.path().join("key");
        std::fs::write(&path, "01".repeat(32)).unwrap();
        let to = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg".to_owned();
        let config = alerts::Nostr { key: SecretSource::File(path), to, relays, through_tor: false };
        Nostr { dial: Dial::direct(), config }
    }

    fn message() -> Message {
        Message {
            key: "msg_1".to_owned(),
            kind: MessageKind::Test,
            severity: Severity::Info,
            title: "Shop: a test".to_owned(),
            text: "x".repeat(100_000),
            made_at: NOW,
        }
    }

    #[tokio::test]
    async fn one_relay_that_takes_a_message_is_enough_and_without_any_each_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let ((refuses, _), (closes, _), (takes, told)) =
            (relay(Manner::Refuses).await, relay(Manner::Closes).await, relay(Manner::Takes).await);
        let all = nostr(&dir, vec![refuses.clone(), closes.clone(), takes]);
        assert_eq!(all.send(&message(), NOW).await, Ok(()));
        let event = told.lock().remove(0);
        assert!(event[1]["kind"] == 1059 && event.to_string().len() < 64 * 1024, "{}", event.to_string().len());
        assert!(!event.to_string().contains("a test"));
        let why = nostr(&dir, vec![refuses.clone(), closes.clone()]).send(&message(), NOW).await.unwrap_err().text;
        assert!(why.contains(&refuses) && why.contains(&closes) && why.contains("blocked"), "{why}");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let nostr = nostr(&dir, vec!["wss://relay.example".to_owned()]);
        let path = dir.path().join("key");
        let nsec = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
        for (text, is_good) in [(nsec, true), (&"01".repeat(32), true), (&"00".repeat(32), false), ("hunter2", false)] {
            std::fs::write(&path, text).unwrap();
            let read = nostr.key();
            assert_eq!(read.is_ok(), is_good, "{text}");
            assert!(!read.err().unwrap_or_default().contains("hunter2"));
        }
    }
}
