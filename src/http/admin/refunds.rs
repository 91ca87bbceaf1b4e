//! Paying back: through a node that is let, or as somebody says it was.

use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Deleted, Reply};
use super::body::Body;
use super::context::{Context, id};
use super::signed::Signed;
use super::tag::Tag;
use super::values::msat;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::services::backstage::RefundWish;
use crate::services::payments;
use crate::services::payments::refunds::Stated;

/// Refunds.
pub struct Refunds;

/// How an order is paid back.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminRefundWish {
    /// The buyer's payment request, over what is owed.
    pub bolt11: String,
    /// The amount in msat, where the payment request names none: what is owed.
    pub amount_msat: Option<u64>,
    /// The most that the route may cost, in msat; without it 1 %, at least 10000.
    pub fee_limit_msat: Option<u64>,
    /// You have looked through the node's payments: since the backup that was restored it was not paid back.
    pub not_paid_since_the_backup: Option<bool>,
}

/// What was paid back. Amounts are msat.
#[derive(Debug, Serialize, Object)]
pub struct AdminPaidBack {
    /// Names the buyer's invoice that was paid.
    pub payment_hash: String,
    /// Whether that is the one of the request at hand, and not of an earlier one: then nothing was paid to this one.
    pub is_this_request: bool,
    /// What the buyer got.
    pub amount: i64,
    /// What the route cost.
    pub fee: i64,
    /// The order's state now.
    pub status: String,
    /// What the order still owes.
    pub owed: i64,
}

/// What became of a refund whose wallet is lost.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminRefundOutcome {
    /// `paid`: the buyer has the money; `failed`: nothing was paid, and nothing will be.
    pub outcome: String,
    /// How you know, for the change log.
    pub note: String,
}

/// A payment request as it is passed on in chats and QR codes: broken into lines, in capitals, as a link.
fn payment_request(text: &str) -> String {
    let is_around = |symbol: char| symbol.is_whitespace() || matches!(symbol, '\u{feff}' | '"' | '\'');
    let compact: String = text.chars().filter(|symbol| !is_around(*symbol)).collect::<String>().to_ascii_lowercase();
    compact.strip_prefix("lightning:").unwrap_or(&compact).to_owned()
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Refunds {
    /// Pay what an order owes back to its buyer, through a node that may pay refunds
    ///
    /// An API token needs the scope `admin` for it: money leaves. When the answer is lost, the same again learns what became of the payment, and never pays twice.
    #[oai(path = "/orders/:id/refund/", method = "post", operation_id = "admin_order_refund")]
    async fn pay(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] order: Path<String>,
        body: Body<AdminRefundWish>,
    ) -> Answer<Reply<AdminPaidBack>> {
        let sent = body.0;
        let wish = RefundWish {
            order: id(&order.0, OrderId::parse)?,
            bolt11: payment_request(&sent.bolt11),
            amount: sent.amount_msat.map(Msat),
            fee_limit: sent.fee_limit_msat.map(Msat),
            not_paid_since_backup: sent.not_paid_since_the_backup.unwrap_or(false),
        };
        // Whose order it is comes first.
        payments::refunds::open_of(context.shop(), &signed.by, wish.order)?;
        let (backstage, by) = (context.backstage()?, signed.by);
        // To the end, also when the browser has gone away: the node is asked in any case.
        let paying = tokio::spawn(async move { backstage.pay_back(wish, &by).await });
        let paid = paying.await.map_err(|error| Problem::internal(&error.to_string()))??;
        Ok(Reply(AdminPaidBack {
            payment_hash: paid.hash.to_string(),
            is_this_request: paid.is_this_request,
            amount: msat(paid.amount),
            fee: msat(paid.fee),
            status: paid.status.letter().to_owned(),
            owed: msat(paid.owed),
        }))
    }

    /// State what became of a refund whose wallet is lost, so that nobody else can tell
    #[oai(path = "/orders/:id/refund/outcome/", method = "post", operation_id = "admin_order_refund_outcome")]
    async fn state(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] order: Path<String>,
        body: Body<AdminRefundOutcome>,
    ) -> Answer<Deleted> {
        let order = id(&order.0, OrderId::parse)?;
        payments::refunds::open_of(context.shop(), &signed.by, order)?;
        let stated = match body.0.outcome.as_str() {
            "paid" => Stated::Paid,
            "failed" => Stated::Failed,
            other => return Err(Problem::field("outcome", Message::NoChoice { value: other.to_owned() }).into()),
        };
        context.backstage()?.state_refund(order, stated, &signed.by, &body.0.note).await?;
        Ok(Deleted)
    }
}
