//! LND's macaroons: the version 2 binary format, LND's identifier inside it (which says what the
//! bearer may do) and the chain of signatures that only the node can check.
//!
//! ```text
//! 02 | 01 location | 02 identifier | 00 | (caveats: 02 condition | 00)* | 00 | 06 signature
//! ```
//! Each field is a type byte, a varint length and the bytes. The identifier of LND is the byte 3
//! followed by a protobuf message with a nonce, the number of the root key and the permissions.

use std::fmt;

use hmac::{Hmac, Mac};
use prost::Message;
use sha2::Sha256;

const FORMAT_VERSION: u8 = 2;
const ID_VERSION: u8 = 3;
const LOCATION: u64 = 1;
const IDENTIFIER: u64 = 2;
const VERIFICATION: u64 = 4;
const SIGNATURE: u64 = 6;
/// The number of the root key that LND uses unless it is told otherwise.
pub const DEFAULT_ROOT_KEY_ID: &[u8] = b"0";
/// The label that turns a root key into the first key of the signature chain.
const KEY_LABEL: &[u8; 32] = b"macaroons-key-generator\0\0\0\0\0\0\0\0\0";

/// Why bytes are not a macaroon of LND. Says nothing about the bytes themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacaroonError {
    /// The first byte is not the version of the binary format that LND writes.
    #[error("this is not a macaroon: give the file as LND writes it, or its content in hex or base64")]
    NotBinary,
    /// A field is cut off, out of order or missing.
    #[error("the macaroon is damaged: a field is cut off or missing")]
    Damaged,
    /// The identifier is not LND's.
    #[error("the macaroon was not made by LND: its identifier cannot be read")]
    ForeignId,
}

/// A macaroon: a bearer token whose permissions can be read, but not widened, by its bearer.
#[derive(Clone, PartialEq, Eq)]
pub struct Macaroon {
    location: Option<Vec<u8>>,
    id: Vec<u8>,
    parsed_id: MacaroonId,
    caveats: Vec<Vec<u8>>,
    signature: [u8; 32],
}

/// LND's identifier (`MacaroonId` of the bakery that LND uses).
#[derive(Clone, PartialEq, Eq, Message)]
struct MacaroonId {
    #[prost(bytes = "vec", tag = "1")]
    nonce: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    root_key_id: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    ops: Vec<Op>,
}

/// What may be done (`actions`: read, write, generate) to an `entity` (invoices, offchain, …).
#[derive(Clone, PartialEq, Eq, Message)]
struct Op {
    #[prost(string, tag = "1")]
    entity: String,
    #[prost(string, repeated, tag = "2")]
    actions: Vec<String>,
}

impl Macaroon {
    /// Makes a macaroon that permits `permissions` (entity and action; pairs of one entity must be
    /// neighbours to share an entry), as LND bakes it.
    pub fn mint(root_key: &[u8], root_key_id: &[u8], nonce: [u8; 16], permissions: &[(&str, &str)]) -> Self {
        let mut ops: Vec<Op> = Vec::new();
        for (entity, action) in permissions {
            match ops.last_mut() {
                Some(op) if op.entity == *entity => op.actions.push((*action).to_owned()),
                _ => ops.push(Op { entity: (*entity).to_owned(), actions: vec![(*action).to_owned()] }),
            }
        }
        let parsed_id = MacaroonId { nonce: nonce.to_vec(), root_key_id: root_key_id.to_vec(), ops };
        let mut id = vec![ID_VERSION];
        id.extend(parsed_id.encode_to_vec());
        let signature = sign(&sign(KEY_LABEL, root_key), &id);
        Self { location: Some(b"lnd".to_vec()), id, parsed_id, caveats: Vec::new(), signature }
    }

    /// Reads the binary form: the content of a `.macaroon` file.
    pub fn parse(bytes: &[u8]) -> Result<Self, MacaroonError> {
        let mut reader = match bytes.split_first() {
            Some((&FORMAT_VERSION, rest)) => Reader(rest),
            _ => return Err(MacaroonError::NotBinary),
        };
        let location = reader.optional(LOCATION)?;
        let id = reader.required(IDENTIFIER)?;
        reader.end_of_section()?;
        let caveats = reader.caveats()?;
        let signature = reader.required(SIGNATURE)?.try_into().map_err(|_| MacaroonError::Damaged)?;
        if !reader.0.is_empty() {
            return Err(MacaroonError::Damaged);
        }
        let parsed_id = parse_id(&id)?;
        Ok(Self { location, id, parsed_id, caveats, signature })
    }

    /// The binary form that [`Macaroon::parse`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT_VERSION];
        if let Some(location) = &self.location {
            put(&mut out, LOCATION, location);
        }
        put(&mut out, IDENTIFIER, &self.id);
        out.push(0);
        for caveat in &self.caveats {
            put(&mut out, IDENTIFIER, caveat);
            out.push(0);
        }
        out.push(0);
        put(&mut out, SIGNATURE, &self.signature);
        out
    }

    /// What the bearer may do: pairs of entity and action, such as `("invoices", "write")`. The
    /// entity `uri` names single calls. Caveats can only narrow this.
    pub fn permissions(&self) -> Vec<(String, String)> {
        let pairs = |op: &Op| {
            let entity = op.entity.clone();
            op.actions.clone().into_iter().map(move |action| (entity.clone(), action)).collect::<Vec<_>>()
        };
        self.parsed_id.ops.iter().flat_map(pairs).collect()
    }

    /// Whether the macaroon permits `action` on `entity`.
    pub fn permits(&self, entity: &str, action: &str) -> bool {
        self.parsed_id.ops.iter().any(|op| op.entity == entity && op.actions.iter().any(|known| known == action))
    }

    /// Which of the node's root keys signed it.
    pub fn root_key_id(&self) -> &[u8] {
        &self.parsed_id.root_key_id
    }

    /// Conditions that narrow the use, such as `time-before 2026-01-01T00:00:00Z`.
    pub fn caveats(&self) -> impl Iterator<Item = &[u8]> {
        self.caveats.iter().map(Vec::as_slice)
    }

    /// The same macaroon narrowed by one more condition; anybody can do that without the root key.
    pub fn with_caveat(mut self, condition: &str) -> Self {
        self.signature = sign(&self.signature, condition.as_bytes());
        self.caveats.push(condition.as_bytes().to_vec());
        self
    }

    /// Whether the signatures show that the macaroon was made with `root_key` and only narrowed since.
    pub fn is_signed_by(&self, root_key: &[u8]) -> bool {
        let first = sign(&sign(KEY_LABEL, root_key), &self.id);
        let expected = self.caveats.iter().fold(first, |key, caveat| sign(&key, caveat));
        subtle::ConstantTimeEq::ct_eq(&expected[..], &self.signature[..]).into()
    }
}

impl fmt::Debug for Macaroon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Macaroon").field("permissions", &self.permissions()).finish_non_exhaustive()
    }
}

fn parse_id(id: &[u8]) -> Result<MacaroonId, MacaroonError> {
    match id.split_first() {
        Some((&ID_VERSION, rest)) => MacaroonId::decode(rest).map_err(|_| MacaroonError::ForeignId),
        _ => Err(MacaroonError::ForeignId),
    }
}

fn sign(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

fn put(out: &mut Vec<u8>, field: u64, data: &[u8]) {
    out.extend([field as u8]);
    prost::encoding::encode_varint(data.len() as u64, out);
    out.extend_from_slice(data);
}

/// What is left to read of a macaroon.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn varint(&mut self) -> Result<u64, MacaroonError> {
        prost::encoding::decode_varint(&mut self.0).map_err(|_| MacaroonError::Damaged)
    }

    /// The next field when it is of the given type.
    fn optional(&mut self, field: u64) -> Result<Option<Vec<u8>>, MacaroonError> {
        if self.0.first().copied().map(u64::from) != Some(field) {
            return Ok(None);
        }
        self.varint()?;
        let length = usize::try_from(self.varint()?).map_err(|_| MacaroonError::Damaged)?;
        let (data, rest) = self.0.split_at_checked(length).ok_or(MacaroonError::Damaged)?;
        self.0 = rest;
        Ok(Some(data.to_vec()))
    }

    fn required(&mut self, field: u64) -> Result<Vec<u8>, MacaroonError> {
        self.optional(field)?.ok_or(MacaroonError::Damaged)
    }

    fn end_of_section(&mut self) -> Result<(), MacaroonError> {
        if self.varint()? == 0 { Ok(()) } else { Err(MacaroonError::Damaged) }
    }

    /// First-party conditions up to the end mark. Third-party ones do not occur with LND.
    fn caveats(&mut self) -> Result<Vec<Vec<u8>>, MacaroonError> {
        let mut caveats = Vec::new();
        while self.0.first().is_some_and(|byte| *byte != 0) {
            self.optional(LOCATION)?;
            caveats.push(self.required(IDENTIFIER)?);
            if self.optional(VERIFICATION)?.is_some() {
                return Err(MacaroonError::Damaged);
            }
            self.end_of_section()?;
        }
        self.end_of_section()?;
        Ok(caveats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOICE: [(&str, &str); 5] =
        [("address", "read"), ("address", "write"), ("invoices", "read"), ("invoices", "write"), ("onchain", "read")];

    fn minted() -> Macaroon {
        Macaroon::mint(b"root", DEFAULT_ROOT_KEY_ID, [7; 16], &INVOICE)
    }

    #[test]
    fn what_is_minted_is_read_back_with_its_permissions() {
        let read = Macaroon::parse(&minted().encode()).unwrap();
        assert_eq!(read, minted());
        assert_eq!(read.permissions().len(), 5);
        assert!(read.permits("invoices", "write") && !read.permits("info", "read"));
        assert_eq!(read.root_key_id(), b"0");
    }

    #[test]
    fn the_bytes_are_laid_out_as_lnd_lays_them_out() {
        let bytes = minted().encode();
        assert!(bytes.starts_with(b"\x02\x01\x03lnd\x02"));
        // After the length of the identifier: version 3, a nonce of 16 bytes, root key "0", the first permission.
        let id = &bytes[7..];
        assert_eq!(&id[1..4], b"\x03\x0a\x10");
        assert_eq!(&id[20..23], b"\x12\x01\x30");
        assert_eq!(&id[23..34], b"\x1a\x16\x0a\x07address");
        assert_eq!(&bytes[bytes.len() - 36..bytes.len() - 32], b"\0\0\x06\x20");
    }

    #[test]
    fn only_the_root_key_that_signed_it_verifies_it() {
        assert!(minted().is_signed_by(b"root"));
        assert!(!minted().is_signed_by(b"another"));
    }

    #[test]
    fn a_caveat_can_be_added_without_the_root_key_but_not_removed() {
        let narrowed = minted().with_caveat("time-before 2030-01-01T00:00:00Z");
        let mut read = Macaroon::parse(&narrowed.encode()).unwrap();
        assert!(read.is_signed_by(b"root"));
        assert_eq!(read.caveats().count(), 1);
        read.caveats.clear();
        assert!(!read.is_signed_by(b"root"));
    }

    #[test]
    fn a_widened_macaroon_is_not_signed() {
        let mut bytes = minted().encode();
        let at = bytes.windows(7).position(|window| window == b"onchain").unwrap();
        bytes[at..at + 7].copy_from_slice(b"offchai");
        assert!(!Macaroon::parse(&bytes).unwrap().is_signed_by(b"root"));
    }

    #[test]
    fn damage_is_refused_at_any_length() {
        let bytes = minted().encode();
        for length in 0..bytes.len() {
            assert!(Macaroon::parse(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
        assert_eq!(Macaroon::parse(hex::encode(&bytes).as_bytes()), Err(MacaroonError::NotBinary));
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Macaroon::parse(&longer), Err(MacaroonError::Damaged));
    }

    #[test]
    fn debug_output_hides_the_token() {
        let shown = format!("{:?}", minted());
        assert!(shown.contains("invoices") && !shown.contains("signature"), "{shown}");
    }
}
