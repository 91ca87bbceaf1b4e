//! The part of an order's page through which what is owed comes back to its buyer, and what it sends: a payment request,
//! typed in or given by a wallet that has scanned the code (LNURL-withdraw, LUD-03).

use http::StatusCode;
use poem::Response;
use serde_json::json;

use super::form::Form;
use super::format;
use super::lnurl;
use super::order_form::Field;
use super::visit::Visit;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::http::problem::{Content, Problem};
use crate::lightning::bolt11;
use crate::services::orders::follow::{self, Followed};
use crate::services::payments::claims::{self, Claim, ClaimState};
use crate::services::payments::refunds::Bill;

/// The longest payment request; with many route hints they have some 1500 characters.
const MAX_REQUEST: usize = 4000;

/// How what is owed comes back.
pub struct ClaimPart {
    /// What is owed.
    pub amount: String,
    /// How the latest request went: tone and words.
    pub told: Option<(&'static str, &'static str)>,
    /// Where a request can be given.
    pub form: Option<ClaimForm>,
}

/// The form for a payment request.
pub struct ClaimForm {
    /// Where it is sent.
    pub action: String,
    /// What was typed, and what is wrong with it.
    pub request: Field,
    /// For wallets that give one by themselves.
    pub code: Option<lnurl::Code>,
}

/// The part of the page of an order that owes; `None` where nothing is owed. `is_final` says that the page does not
/// change by itself: what is being filled in must stay.
pub fn part(visit: &Visit, followed: &Followed, is_final: bool, typed: Option<Field>) -> Option<ClaimPart> {
    let (t, purchase, now) = (visit.t, &followed.view.purchase, visit.app.shop.now());
    if purchase.owed == Msat(0) {
        return None;
    }
    let told = match &followed.claim {
        Some(claim) if claim.state == ClaimState::Open => Some(("", t.claim_open)),
        Some(claim) => {
            ended(claim, now).map(|failed| if failed { ("warn", t.claim_failed) } else { ("", t.claim_waits) })
        }
        None => None,
    };
    let form = is_final.then(|| ClaimForm {
        action: format!("{}claim/", super::paths::order(purchase.id)),
        request: typed.unwrap_or_default(),
        code: lnurl::code(visit, &withdraw_path(purchase.id)),
    });
    Some(ClaimPart { amount: format::sats(purchase.owed), told, form })
}

/// Whether a request that nobody pays at this moment came to nothing; `None` for one that was paid.
fn ended(claim: &Claim, now: Timestamp) -> Option<bool> {
    match claim.state {
        ClaimState::Failed => Some(true),
        ClaimState::Waiting => Some(claim.expires_at <= now),
        ClaimState::Open | ClaimState::Paid => None,
    }
}

/// Takes what was typed in; gives it back with what is wrong.
pub async fn take(visit: &Visit, order: OrderId, form: &Form) -> Result<Option<Field>, Problem> {
    let typed = form.get("request");
    let refused = match store(visit, order, typed).await {
        Ok(()) => return Ok(None),
        Err(problem) => problem,
    };
    match &refused.content {
        Content::Detail(message) if refused.status == StatusCode::BAD_REQUEST => {
            let value = typed.chars().take(MAX_REQUEST).collect();
            Ok(Some(Field { value, errors: vec![message.text(visit.language)], fixes: Vec::new() }))
        }
        _ => Err(refused),
    }
}

async fn store(visit: &Visit, order: OrderId, typed: &str) -> Result<(), Problem> {
    let bill = bill(typed).map_err(|message| Problem::detail(StatusCode::BAD_REQUEST, message))?;
    visit.limited(claims::claim(&visit.app.shop, order, bill)).await.map(drop)
}

fn bill(typed: &str) -> Result<Bill, Message> {
    if typed.len() > MAX_REQUEST {
        return Err(Message::NoPaymentRequest);
    }
    let bolt11 = bolt11::from_pasted(typed);
    let read = bolt11::read(&bolt11).map_err(|_| Message::NoPaymentRequest)?;
    Ok(Bill { bolt11, hash: read.hash, amount: read.amount, expires_at: read.expires_at })
}

fn withdraw_path(order: OrderId) -> String {
    format!("/lnurl/withdraw/{order}/")
}

/// What a wallet learns that has scanned the code: how much it gets, and where to ask for it.
pub fn offer(visit: &Visit) -> Result<Response, Problem> {
    let id = visit.id(OrderId::parse)?;
    let purchase = follow::follow(&visit.app.shop, id)?.view.purchase;
    if purchase.owed == Msat(0) {
        return Err(Problem::detail(StatusCode::BAD_REQUEST, Message::NothingOwed));
    }
    Ok(lnurl::answer(&json!({
        "tag": "withdrawRequest",
        "callback": format!("{}{}pay/", visit.origin.base, withdraw_path(id)),
        "k1": claims::ticket(&visit.app.shop, &purchase),
        "defaultDescription": format!("{} {id}", visit.t.claim_description),
        "minWithdrawable": purchase.owed.0,
        "maxWithdrawable": purchase.owed.0,
    })))
}

/// Takes the payment request that a wallet gives. It changes something although it is asked for with GET, as wallets
/// do: only who knows the order's id, its buyer's secret, can.
pub async fn withdraw(visit: &Visit) -> Result<Response, Problem> {
    let id = visit.id(OrderId::parse)?;
    let purchase = follow::follow(&visit.app.shop, id)?.view.purchase;
    if visit.query("k1") != Some(claims::ticket(&visit.app.shop, &purchase).as_str()) {
        return Err(Problem::detail(StatusCode::BAD_REQUEST, Message::StaleCode));
    }
    store(visit, id, visit.query("pr").unwrap_or_default()).await?;
    Ok(lnurl::answer(&json!({"status": "OK"})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_payment_request_or_far_too_long_is_said_to_be_none() {
        for typed in ["", "lnbc1x", "LNURL1DP68GURN8GHJ7", &"lnbc1".repeat(2000)] {
            assert_eq!(bill(typed).err(), Some(Message::NoPaymentRequest), "{typed:.20}");
        }
    }
}
