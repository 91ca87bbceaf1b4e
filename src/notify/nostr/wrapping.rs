//! The three layers of a direct message (NIP-17, NIP-59): what is said, unsigned, so that nobody can prove that it was; the
//! seal, signed by the sender; the wrap around it, of a key that is used once. The outer two have times of the last two days.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Keypair, Message as Digest, Secp256k1, SecretKey, XOnlyPublicKey};
use serde_json::{Value, json};

use super::encryption::Conversation;
use crate::domain::id::Random;
use crate::domain::time::Timestamp;

/// What is said.
const CHAT: u16 = 14;
/// The seal.
const SEAL: u16 = 13;
/// The wrap.
const WRAP: u16 = 1059;
/// The outer times are so far back at most. Seconds.
const BLUR_SECS: u64 = 172_800;

/// What is written to somebody.
pub struct Letter<'a> {
    /// To whom.
    pub reader: &'a XOnlyPublicKey,
    /// One line.
    pub subject: &'a str,
    /// All of it.
    pub text: &'a str,
    /// When: with the rest it makes the name by which readers tell what they have already.
    pub made_at: Timestamp,
}

/// The event that relays are given.
///
/// # Errors
/// For a text that is too long.
pub fn wrap(sender: &Keypair, letter: &Letter<'_>, now: Timestamp, random: &dyn Random) -> Result<Value, String> {
    let to = json!(["p", letter.reader.to_string()]);
    let tags = json!([to.clone(), ["subject", letter.subject]]);
    let said = unsigned(sender, letter.made_at.secs(), CHAT, &tags, letter.text);
    let sealed = encrypted(sender, letter.reader, &said, random)?;
    let seal = signed(sender, blurred(now, random), SEAL, &json!([]), &sealed, random);
    let once = new_key(random);
    let content = encrypted(&once, letter.reader, &seal, random)?;
    Ok(signed(&once, blurred(now, random), WRAP, &json!([to]), &content, random))
}

/// A signed event.
pub fn signed(key: &Keypair, at: i64, kind: u16, tags: &Value, content: &str, random: &dyn Random) -> Value {
    let mut event = unsigned(key, at, kind, tags, content);
    let id = id(&event);
    let mut aux = [0; 32];
    random.fill(&mut aux);
    let signature = Secp256k1::new().sign_schnorr_with_aux_rand(&Digest::from_digest(id), key, &aux);
    event["sig"] = json!(signature.to_string());
    event
}

fn unsigned(key: &Keypair, at: i64, kind: u16, tags: &Value, content: &str) -> Value {
    let author = key.x_only_public_key().0.to_string();
    let mut event = json!({
        "id": "", "pubkey": author, "created_at": at, "kind": kind, "tags": tags, "content": content,
    });
    event["id"] = json!(hex::encode(id(&event)));
    event
}

/// The hash of all that is said in an event.
fn id(event: &Value) -> [u8; 32] {
    let [author, at, kind, tags, content] =
        ["pubkey", "created_at", "kind", "tags", "content"].map(|name| &event[name]);
    sha256::Hash::hash(json!([0, author, at, kind, tags, content]).to_string().as_bytes()).to_byte_array()
}

fn encrypted(from: &Keypair, to: &XOnlyPublicKey, event: &Value, random: &dyn Random) -> Result<String, String> {
    let mut nonce = [0; 32];
    random.fill(&mut nonce);
    Conversation::between(&from.secret_key(), to).encrypt(&event.to_string(), &nonce)
}

fn blurred(now: Timestamp, random: &dyn Random) -> i64 {
    now.secs().saturating_sub_unsigned(random.below(BLUR_SECS))
}

fn new_key(random: &dyn Random) -> Keypair {
    loop {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        // Of 2^128 numbers about one is no key.
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Keypair::from_secret_key(&Secp256k1::new(), &key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encryption::tests::decrypt;
    use super::*;
    use crate::domain::id::SystemRandom;
    use bitcoin::secp256k1::schnorr::Signature;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn keypair(last: u8) -> Keypair {
        Keypair::from_secret_key(&Secp256k1::new(), &SecretKey::from_slice(&[last; 32]).unwrap())
    }

    /// What is inside an event for its reader, after its signature was checked.
    fn opened(event: &Value, reader: &Keypair) -> Value {
        let author = XOnlyPublicKey::from_slice(&hex::decode(event["pubkey"].as_str().unwrap()).unwrap()).unwrap();
        let signature: Signature = event["sig"].as_str().unwrap().parse().unwrap();
        Secp256k1::new().verify_schnorr(&signature, &Digest::from_digest(id(event)), &author).unwrap();
        assert_eq!(event["id"], json!(hex::encode(id(event))));
        let between = Conversation::between(&reader.secret_key(), &author);
        serde_json::from_str(&decrypt(&between, event["content"].as_str().unwrap()).unwrap()).unwrap()
    }

    fn wrapped() -> (Keypair, Keypair, Value) {
        let (sender, reader) = (keypair(1), keypair(2));
        let key = reader.x_only_public_key().0;
        let letter = Letter { reader: &key, subject: "Shop: a test", text: "für\nimmer?", made_at: NOW };
        let wrapped = wrap(&sender, &letter, NOW.plus_secs(60), &SystemRandom).unwrap();
        (sender, reader, wrapped)
    }

    #[test]
    fn its_reader_finds_what_was_said_and_by_whom() {
        let (sender, reader, wrapped) = wrapped();
        let author = json!(sender.x_only_public_key().0.to_string());
        let seal = opened(&wrapped, &reader);
        assert_eq!((&seal["kind"], &seal["pubkey"], &seal["tags"]), (&json!(13), &author, &json!([])));
        let said = opened(&seal, &reader);
        assert_eq!((&said["kind"], &said["pubkey"], &said["created_at"]), (&json!(14), &author, &json!(NOW.secs())));
        assert_eq!((said["content"].as_str(), said.get("sig")), (Some("für\nimmer?"), None));
        assert_eq!(said["tags"], json!([["p", reader.x_only_public_key().0.to_string()], ["subject", "Shop: a test"]]));
        assert_eq!(said["id"], json!(hex::encode(id(&said))));
    }

    #[test]
    fn a_relay_sees_neither_who_writes_nor_when_and_no_two_are_alike() {
        let ((sender, reader, first), (.., second)) = (wrapped(), wrapped());
        let author = sender.x_only_public_key().0.to_string();
        assert!(!first.to_string().contains(&author) && first["pubkey"] != second["pubkey"]);
        let at = first["created_at"].as_i64().unwrap();
        assert!((NOW.secs() - 172_800..=NOW.secs() + 60).contains(&at) && first["kind"] == json!(1059));
        let said = |wrapped: &Value| opened(&opened(wrapped, &reader), &reader);
        assert_eq!(said(&first)["id"], said(&second)["id"], "a second try has the name of the first");
    }
}
