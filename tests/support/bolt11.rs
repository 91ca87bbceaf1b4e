//! Payment requests of a buyer's wallet.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use ip2tor_shop::domain::time::Timestamp;
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};

/// One on the main network over so many msat, valid for so many seconds; each `number` is another.
pub fn payment_request(msat: u64, now: Timestamp, expiry_secs: u64, number: u8) -> String {
    let key = SecretKey::from_slice(&[number; 32]).expect("a key");
    let made = u64::try_from(now.0 / 1000).expect("after 1970");
    InvoiceBuilder::new(Currency::Bitcoin)
        .description("refund".to_owned())
        .amount_milli_satoshis(msat)
        .payment_hash(sha256::Hash::hash(&[number]))
        .payment_secret(PaymentSecret([number; 32]))
        .duration_since_epoch(std::time::Duration::from_secs(made))
        .expiry_time(std::time::Duration::from_secs(expiry_secs))
        .min_final_cltv_expiry_delta(18)
        .build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &key))
        .expect("a payment request")
        .to_string()
}
