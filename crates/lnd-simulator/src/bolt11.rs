//! BOLT11 payment requests: signed for our own invoices, read for payments.

use std::str::FromStr;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey};
use lightning_invoice::{
    Bolt11Invoice, Bolt11InvoiceDescription, Currency, Description, ExpiryTime, InvoiceBuilder, PaymentSecret,
    PositiveTimestamp, RawBolt11Invoice, RawDataPart, RawHrp, RawTaggedField, RouteHint, RouteHintHop, RoutingFees,
    Sha256, TaggedField,
};

use super::invoice::Terms;
use ip2tor_domain::lightning::Network;

/// The node's identity: its key signs invoices.
pub struct Identity {
    secp: Secp256k1<All>,
    key: SecretKey,
    /// Names the node.
    pub public_key: PublicKey,
    network: Network,
}

impl Identity {
    /// The node with the secret key `key`; `None` for the (practically impossible) invalid key.
    pub fn new(key: [u8; 32], network: Network) -> Option<Self> {
        let secp = Secp256k1::new();
        let key = SecretKey::from_slice(&key).ok()?;
        let public_key = key.public_key(&secp);
        Some(Self { secp, key, public_key, network })
    }

    /// The chain the node works on.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The signed payment request for `terms`, whose own `payment_request` is not looked at. The error
    /// is for the caller of the RPC.
    pub fn sign(&self, terms: &Terms) -> Result<String, String> {
        let created = Duration::from_millis(terms.created_ms.unsigned_abs());
        let mut builder = InvoiceBuilder::new(currency(self.network))
            .invoice_description(description(terms)?)
            .payment_hash(sha256::Hash::from_byte_array(terms.hash.0))
            .payment_secret(PaymentSecret(terms.payment_addr.0))
            .basic_mpp()
            .duration_since_epoch(created)
            .min_final_cltv_expiry_delta(terms.cltv_expiry)
            .expiry_time(Duration::from_secs(terms.expiry_secs));
        if terms.value_msat > 0 {
            builder = builder.amount_milli_satoshis(terms.value_msat);
        }
        if terms.private {
            builder = builder.private_route(self.private_channel());
        }
        let signed = builder.build_signed(|digest| self.secp.sign_ecdsa_recoverable(digest, &self.key));
        signed.map(|invoice| invoice.to_string()).map_err(|error| format!("unable to encode payment request: {error}"))
    }

    /// The payment request of an invoice with blinded paths, as far as BOLT11 goes: signed with a key of its own,
    /// and without a payment secret.
    pub fn sign_blinded(&self, terms: &Terms) -> Result<String, String> {
        let unable = |error: &dyn std::fmt::Display| format!("unable to encode payment request: {error}");
        let key = SecretKey::from_slice(&terms.payment_addr.0).map_err(|error| unable(&error))?;
        let created = Duration::from_millis(terms.created_ms.unsigned_abs());
        let text = Description::new(terms.memo.clone()).map_err(|error| unable(&error))?;
        let fields = [
            TaggedField::PaymentHash(Sha256(sha256::Hash::from_byte_array(terms.hash.0))),
            TaggedField::Description(text),
            TaggedField::ExpiryTime(ExpiryTime::from_seconds(terms.expiry_secs)),
        ];
        let raw = RawBolt11Invoice {
            hrp: RawHrp { currency: currency(self.network), raw_amount: None, si_prefix: None },
            data: RawDataPart {
                timestamp: PositiveTimestamp::from_duration_since_epoch(created).map_err(|error| unable(&error))?,
                tagged_fields: fields.map(RawTaggedField::KnownSemantics).to_vec(),
            },
        };
        let sign = |digest: &Message| Ok::<_, String>(self.secp.sign_ecdsa_recoverable(digest, &key));
        Ok(raw.sign(sign)?.to_string())
    }

    /// The hint that leads over a private channel: its peer is the payee's key with the sign turned.
    fn private_channel(&self) -> RouteHint {
        RouteHint(vec![RouteHintHop {
            src_node_id: self.public_key.negate(&self.secp),
            short_channel_id: 1 << 40 | 1 << 16,
            fees: RoutingFees { base_msat: 1000, proportional_millionths: 1 },
            cltv_expiry_delta: 80,
            htlc_minimum_msat: None,
            htlc_maximum_msat: None,
        }])
    }
}

/// Reads a payment request for this network. The error is for the caller of the RPC.
pub fn read(request: &str, network: Network) -> Result<Bolt11Invoice, String> {
    let text = request.trim();
    let text = text.strip_prefix("lightning:").unwrap_or(text);
    let invoice = Bolt11Invoice::from_str(text).map_err(|error| format!("invalid payment request: {error}"))?;
    if invoice.currency() != currency(network) {
        return Err(format!("invoice not for current active network '{}'", network.name()));
    }
    Ok(invoice)
}

fn description(terms: &Terms) -> Result<Bolt11InvoiceDescription, String> {
    if let Ok(hash) = <[u8; 32]>::try_from(terms.description_hash.as_slice()) {
        return Ok(Bolt11InvoiceDescription::Hash(Sha256(sha256::Hash::from_byte_array(hash))));
    }
    let text = Description::new(terms.memo.clone());
    text.map(Bolt11InvoiceDescription::Direct).map_err(|error| format!("unable to encode payment request: {error}"))
}

fn currency(network: Network) -> Currency {
    match network {
        Network::Mainnet => Currency::Bitcoin,
        Network::Testnet => Currency::BitcoinTestnet,
        Network::Signet => Currency::Signet,
        Network::Regtest => Currency::Regtest,
    }
}
