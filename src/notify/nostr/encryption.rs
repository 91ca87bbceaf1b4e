//! The encryption of NIP-44, version 2: a key for each two people, and of that one for each message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitcoin::secp256k1::{Parity, PublicKey, SecretKey, XOnlyPublicKey, ecdh};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The version, as it stands in front.
const VERSION: u8 = 2;
const SALT: &[u8] = b"nip44-v2";
/// The shortest text is made so long.
const SHORTEST: usize = 32;

/// What encrypts between two people; it is the same at both ends.
pub struct Conversation([u8; 32]);

impl Conversation {
    /// Between the owner of a secret and somebody.
    pub fn between(secret: &SecretKey, other: &XOnlyPublicKey) -> Self {
        let point = PublicKey::from_x_only_public_key(*other, Parity::Even);
        let shared = ecdh::shared_secret_point(&point, secret);
        Self(Hkdf::<Sha256>::extract(Some(SALT), &shared[..32]).0.into())
    }

    /// Encrypts a text; `nonce` is random, and never used twice.
    ///
    /// # Errors
    /// For a text that is empty or longer than 65,535 bytes.
    pub fn encrypt(&self, text: &str, nonce: &[u8; 32]) -> Result<String, String> {
        let length = u16::try_from(text.len()).ok().filter(|length| *length > 0);
        let length = length.ok_or_else(|| format!("a text of {} bytes can't be encrypted", text.len()))?;
        let mut content = Vec::with_capacity(2 + padded(text.len()));
        content.extend(length.to_be_bytes());
        content.extend(text.as_bytes());
        content.resize(2 + padded(text.len()), 0);
        let keys = self.keys(nonce);
        keys.cipher().apply_keystream(&mut content);
        let mut sent = vec![VERSION];
        sent.extend(nonce);
        sent.extend(&content);
        sent.extend(keys.code(nonce, &content).finalize().into_bytes());
        Ok(STANDARD.encode(sent))
    }

    fn keys(&self, nonce: &[u8; 32]) -> Keys {
        let mut keys = [0; 76];
        let hkdf = Hkdf::<Sha256>::from_prk(&self.0).expect("the key is as long as a hash");
        hkdf.expand(nonce, &mut keys).expect("76 bytes are less than HKDF can make");
        Keys(keys)
    }
}

/// Of one message: 32 bytes of the cipher's key, 12 of its nonce, 32 of the key that authenticates.
struct Keys([u8; 76]);

impl Keys {
    fn cipher(&self) -> ChaCha20 {
        ChaCha20::new_from_slices(&self.0[..32], &self.0[32..44]).expect("the lengths are right")
    }

    fn code(&self, nonce: &[u8; 32], content: &[u8]) -> Hmac<Sha256> {
        let mut code = <Hmac<Sha256> as Mac>::new_from_slice(&self.0[44..]).expect("HMAC takes keys of any length");
        code.update(nonce);
        code.update(content);
        code
    }
}

/// How long a text is made, so that its length says less: in steps of 32 bytes, later of an eighth of the next power of
/// two.
fn padded(length: usize) -> usize {
    let next_power = length.max(SHORTEST).next_power_of_two();
    let step = if next_power <= 256 { SHORTEST } else { next_power / 8 };
    length.max(1).div_ceil(step) * step
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bitcoin::secp256k1::Secp256k1;

    /// What the reader reads; `None` for what was not made by the other.
    pub fn decrypt(conversation: &Conversation, sent: &str) -> Option<String> {
        let sent = STANDARD.decode(sent).ok()?;
        let (nonce, rest) = sent.strip_prefix(&[VERSION])?.split_at(32);
        let (content, code) = rest.split_at(rest.len() - 32);
        let nonce: [u8; 32] = nonce.try_into().ok()?;
        let keys = conversation.keys(&nonce);
        keys.code(&nonce, content).verify_slice(code).ok()?;
        let mut content = content.to_vec();
        keys.cipher().apply_keystream(&mut content);
        let length = usize::from(u16::from_be_bytes([content[0], content[1]]));
        assert_eq!(content.len(), 2 + padded(length));
        String::from_utf8(content[2..2 + length].to_vec()).ok()
    }

    fn key(hex: &str) -> SecretKey {
        SecretKey::from_slice(&hex::decode(hex).unwrap()).unwrap()
    }

    fn number(last: u8) -> [u8; 32] {
        let mut number = [0; 32];
        number[31] = last;
        number
    }

    #[test]
    fn the_vectors_of_the_specification_are_met() {
        let secret = key("315e59ff51cb9209768cf7da80791ddcaae56ac9775eb25b6dee1234bc5d2268");
        let other = hex::decode("c2f9d9948dc8c7c38321e4b85c8558872eafa0641cd269db76848a6073e69133").unwrap();
        let between = Conversation::between(&secret, &XOnlyPublicKey::from_slice(&other).unwrap());
        assert_eq!(hex::encode(between.0), "3dfef0ce2a4d80a25e7a328accf73448ef67096f65f79588e358d9a0eb9013f1");

        let [one, two] = [1, 2].map(|last| SecretKey::from_slice(&number(last)).unwrap());
        let public = |key: &SecretKey| key.x_only_public_key(&Secp256k1::new()).0;
        let there = Conversation::between(&one, &public(&two));
        assert_eq!(hex::encode(there.0), "c41c775356fd92eadc63ff5a0dc1da211b268cbea22316767095b2871ea1412d");
        let sent = "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABee0G5VSK0/9YypIObAtDKfYEAjD35uVkHyB0F4DwrcNaCXlCWZKaArsGrY6M9wn\
                    uTMxWfp1RTN9Xga8no+kF5Vsb";
        assert_eq!(there.encrypt("a", &number(1)).unwrap(), sent);
        let back = Conversation::between(&two, &public(&one));
        assert_eq!(decrypt(&back, sent).as_deref(), Some("a"));
    }

    #[test]
    fn lengths_are_hidden_in_the_steps_of_the_specification() {
        for (length, long) in [
            (1, 32),
            (16, 32),
            (32, 32),
            (33, 64),
            (64, 64),
            (65, 96),
            (100, 128),
            (200, 224),
            (250, 256),
            (256, 256),
            (257, 320),
            (320, 320),
            (383, 384),
            (400, 448),
            (512, 512),
            (515, 640),
            (900, 1024),
            (1020, 1024),
            (65_535, 65_536),
        ] {
            assert_eq!(padded(length), long, "{length}");
        }
    }

    #[test]
    fn what_was_changed_on_its_way_is_not_read_and_what_is_too_long_not_sent() {
        let [one, two] = [1, 2].map(|last| SecretKey::from_slice(&number(last)).unwrap());
        let between = Conversation::between(&one, &two.x_only_public_key(&Secp256k1::new()).0);
        let mut sent = STANDARD.decode(between.encrypt("für immer?", &number(9)).unwrap()).unwrap();
        assert_eq!(decrypt(&between, &STANDARD.encode(&sent)).as_deref(), Some("für immer?"));
        sent[40] ^= 1;
        assert_eq!(decrypt(&between, &STANDARD.encode(&sent)), None);
        assert!(between.encrypt("", &number(1)).is_err() && between.encrypt(&"x".repeat(65_536), &number(1)).is_err());
    }
}
