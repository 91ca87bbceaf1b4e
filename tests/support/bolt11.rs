//! Payment requests of a buyer's wallet.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use ip2tor_shop::domain::lightning::PaymentHash;
use ip2tor_shop::domain::time::Timestamp;
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};

/// One on the main network over so many msat, valid for so many seconds; each `number` is another.
pub fn payment_request(msat: u64, now: Timestamp, expiry_secs: u64, number: u8) -> String {
    let hash = PaymentHash(sha256::Hash::hash(&[number]).to_byte_array());
    signed(Currency::Bitcoin, msat, now, expiry_secs, hash, [number; 32])
}

/// One on regtest with this payment hash.
pub fn on_regtest(msat: u64, now: Timestamp, expiry_secs: u64, hash: PaymentHash) -> String {
    signed(Currency::Regtest, msat, now, expiry_secs, hash, [7; 32])
}

fn signed(
    currency: Currency,
    msat: u64,
    now: Timestamp,
    expiry_secs: u64,
    hash: PaymentHash,
    secret: [u8; 32],
) -> String {
    let key = SecretKey::from_slice(&secret).expect("a key");
    let made = u64::try_from(now.0 / 1000).expect("after 1970");
    InvoiceBuilder::new(currency)
        .description("refund".to_owned())
        .amount_milli_satoshis(msat)
        .payment_hash(sha256::Hash::from_byte_array(hash.0))
        .payment_secret(PaymentSecret(secret))
        .duration_since_epoch(std::time::Duration::from_secs(made))
        .expiry_time(std::time::Duration::from_secs(expiry_secs))
        .min_final_cltv_expiry_delta(18)
        .build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &key))
        .expect("a payment request")
        .to_string()
}
