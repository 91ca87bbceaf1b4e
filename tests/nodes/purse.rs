//! Earns all blocks of the chain, and gives of it to the wallets of nodes.

use std::str::FromStr;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Address, Amount, CompressedPublicKey, Network, OutPoint, PrivateKey, PublicKey, ScriptBuf, Sequence, Transaction,
    TxIn, TxOut, Txid, Witness,
};

/// What each of the first blocks earns.
const EARNED: Amount = Amount::from_sat(50 * 100_000_000);
const FEE: Amount = Amount::from_sat(10_000);

/// One key.
pub struct Purse {
    secp: Secp256k1<All>,
    key: PrivateKey,
    /// The height of the next block whose earnings are not spent.
    pub next: u64,
}

impl Purse {
    pub fn new() -> Self {
        let secret = SecretKey::from_slice(&[7; 32]).expect("a key");
        Self { secp: Secp256k1::new(), key: PrivateKey::new(secret, Network::Regtest), next: 1 }
    }

    /// Where blocks have to pay to.
    pub fn address(&self) -> Address {
        Address::p2wpkh(&self.public_key(), Network::Regtest)
    }

    fn public_key(&self) -> CompressedPublicKey {
        CompressedPublicKey::from_private_key(&self.secp, &self.key).expect("a compressed key")
    }

    /// Spends what a block has earned, `coinbase`, in equal parts to `address`; the transaction, hexadecimal.
    pub fn spend(&self, coinbase: &str, address: &str, parts: u32) -> String {
        let to = Address::from_str(address).expect("an address").assume_checked().script_pubkey();
        let value = (EARNED - FEE) / u64::from(parts);
        let input = TxIn {
            previous_output: OutPoint { txid: Txid::from_str(coinbase).expect("a transaction's id"), vout: 0 },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        };
        let output = vec![TxOut { value, script_pubkey: to }; parts as usize];
        let mut spending = Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input], output };
        spending.input[0].witness = self.sign(&spending);
        bitcoin::consensus::encode::serialize_hex(&spending)
    }

    fn sign(&self, spending: &Transaction) -> Witness {
        let script = self.address().script_pubkey();
        let mut cache = SighashCache::new(spending);
        let sort = EcdsaSighashType::All;
        let digest = cache.p2wpkh_signature_hash(0, &script, EARNED, sort).expect("an input");
        let message = Message::from_digest(digest.to_byte_array());
        let signature = self.secp.sign_ecdsa(&message, &self.key.inner);
        let key = PublicKey::from_private_key(&self.secp, &self.key);
        Witness::p2wpkh(&bitcoin::ecdsa::Signature { signature, sighash_type: sort }, &key.inner)
    }
}
