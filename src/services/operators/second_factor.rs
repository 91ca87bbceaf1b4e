//! The second factor of an operator: codes of an authenticator app, and recovery codes for whoever has lost it.

use data_encoding::BASE32_NOPAD;

use super::{keys, totp};
use crate::domain::id::{OperatorId, Random};
use crate::domain::operator::Operator;
use crate::domain::texts::Message;
use crate::services::hosts::catalog;
use crate::services::{Error, ReadTx, Tx, authz, clock};
use crate::store::{operators, second_factors};

/// Recovery codes that are made at a time.
const RECOVERY_CODES: usize = 10;

/// What an authenticator app is told.
pub struct Enrolment {
    /// The secret, for those who type it.
    pub secret: String,
    /// The same with names, as a QR code has it.
    pub uri: String,
}

/// Makes a new secret. It counts once a code of it was shown ([`confirm`]); until then all stays as it was.
///
/// # Errors
/// [`Error::NotFound`].
pub fn ask(tx: &Tx<'_>, random: &dyn Random, operator: OperatorId) -> Result<Enrolment, Error> {
    let operator = find(tx, operator)?;
    let mut secret = [0; 20];
    random.fill(&mut secret);
    second_factors::ask(tx.db, operator.id, &secret, tx.author())?;
    let (secret, site) = (BASE32_NOPAD.encode(&secret), catalog::site(tx.db)?.name);
    let (issuer, name) = (percent_encoded(&site), percent_encoded(&operator.name));
    let uri = format!("otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}");
    Ok(Enrolment { secret, uri })
}

/// From here on the second factor is asked for; the recovery codes are told this once.
///
/// # Errors
/// [`Error::Invalid`] under `code` for a wrong one, [`Error::NotFound`] when no secret was asked for.
pub fn confirm(tx: &Tx<'_>, random: &dyn Random, operator: OperatorId, code: &str) -> Result<Vec<String>, Error> {
    let operator = find(tx, operator)?;
    let secret = second_factors::get(tx.db, operator.id)?.asked.ok_or(Error::NotFound)?;
    needs_right_clock(tx)?;
    let step = totp::matching_step(&secret, &plain(code), tx.now, 0);
    let step = step.ok_or_else(|| Error::field("code", Message::WrongCode))?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(random)).collect();
    let hashes: Vec<_> = codes.iter().map(|code| keys::hash(&plain(code))).collect();
    second_factors::enable(tx.db, operator.id, step, &hashes, tx.author())?;
    tx.record("operator", &operator.name, "second factor set")?;
    Ok(codes)
}

/// Whether a code is right; then it is used up.
///
/// # Errors
/// [`Error::Refused`] for a code of the app while the clock is wrong.
pub fn check(tx: &Tx<'_>, operator: OperatorId, code: &str) -> Result<bool, Error> {
    let stored = second_factors::get(tx.db, operator)?;
    let Some(secret) = stored.secret else { return Ok(true) };
    let code = plain(code);
    if code.len() != totp::DIGITS {
        return Ok(second_factors::use_recovery_code(tx.db, operator, &keys::hash(&code))?);
    }
    needs_right_clock(tx)?;
    match totp::matching_step(&secret, &code, tx.now, stored.last_step) {
        Some(step) => {
            second_factors::use_step(tx.db, operator, step)?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Takes the second factor away: an administrator anybody's, an operator their own.
///
/// # Errors
/// [`Error::NotFound`].
pub fn remove(tx: &Tx<'_>, operator: OperatorId) -> Result<(), Error> {
    let operator = find(tx, operator)?;
    second_factors::disable(tx.db, operator.id, tx.author())?;
    tx.record("operator", &operator.name, "second factor removed")
}

/// How many recovery codes are left.
///
/// # Errors
/// [`Error::NotFound`] where it is somebody else's.
pub fn recovery_codes(tx: &ReadTx<'_>, operator: OperatorId) -> Result<u32, Error> {
    authz::needs_owner(tx.actor, operator)?;
    Ok(second_factors::recovery_codes(tx.db, operator)?)
}

fn find(tx: &ReadTx<'_>, id: OperatorId) -> Result<Operator, Error> {
    authz::needs_owner(tx.actor, id)?;
    operators::get(tx.db, id)?.ok_or(Error::NotFound)
}

/// Codes follow from the time: with a wrong clock none of them fits, or one that was seen long ago.
fn needs_right_clock(tx: &ReadTx<'_>) -> Result<(), Error> {
    if clock::read(tx.db, tx.now)?.is_behind { Err(Error::Refused(Message::ClockForCodes)) } else { Ok(()) }
}

/// 80 random bits, in groups that can be copied by hand.
fn recovery_code(random: &dyn Random) -> String {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    let text = BASE32_NOPAD.encode(&bytes).to_lowercase();
    let groups: Vec<&str> = (0..4).map(|group| &text[group * 4..group * 4 + 4]).collect();
    groups.join("-")
}

/// A code as it is compared: however it was grouped.
fn plain(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).take(64).collect()
}

/// For a part of an URI: apps read `+` as it is.
fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encoded).collect()
}
