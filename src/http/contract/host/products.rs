//! What Tor bridges and Nostr aliases have in common for their host.

use serde_json::Value;

use crate::domain::id::{HostId, ProductId};
use crate::domain::product::{Product, ProductKind, ProductStatus, Subject};
use crate::domain::texts::Message;
use crate::domain::{alias, target};
use crate::http::contract::answer::{Deleted, Reply};
use crate::http::contract::body::read::{Reader, TextRule};
use crate::http::contract::body::{Input, type_name};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::end;
use crate::http::contract::dto::product::ProductView;
use crate::http::problem::{Fields, Problem};
use crate::services::error::NON_FIELD;
use crate::services::products::view::{ProductPatch, ProductView as Found};
use crate::services::{Principal, products};

/// A list of products.
pub type Products = Vec<ProductView>;

/// Text that may be anything up to a length.
const fn free(max: usize) -> TextRule {
    TextRule { max, blank: true, null: true }
}

/// Text that must be there.
const fn filled(max: usize) -> TextRule {
    TextRule { max, blank: false, null: false }
}

/// The list, filtered by host and status.
pub async fn list(
    call: &RequestContext,
    caller: &Principal,
    kind: ProductKind,
    host: Option<&str>,
    status: Option<&str>,
) -> Result<Reply<Products>, Problem> {
    let nothing = Input::default();
    let mut problems = Reader::new(&nothing);
    let host = host.filter(|text| !text.is_empty()).and_then(|text| {
        let id = HostId::parse(text);
        if id.is_none() {
            problems.complain("host", Message::NotUuid { text: text.to_owned() });
        }
        id
    });
    let status = status.filter(|text| !text.is_empty()).and_then(|text| {
        let status = ProductStatus::parse(text);
        if status.is_none() {
            problems.complain("status", Message::NoneOfChoices { text: text.to_owned() });
        }
        status
    });
    problems.finish()?;
    let found = products::view::list(call.shop(), caller, kind, host, status).await?;
    let site = call.site()?;
    let views = found.iter().map(|view| ProductView::new(call, &view.product, &view.host, &site));
    Ok(Reply(views.collect()))
}

/// The product that the path names, if the caller may see it.
pub fn find(call: &RequestContext, caller: &Principal, kind: ProductKind) -> Result<Found, Problem> {
    Ok(products::view::get(call.shop(), caller, call.id(ProductId::parse)?, kind)?)
}

fn shown(call: &RequestContext, view: &Found) -> Result<Reply<ProductView>, Problem> {
    let site = call.site()?;
    Ok(Reply(ProductView::new(call, &view.product, &view.host, &site)))
}

/// One product. A host is told of it as by a list.
pub async fn read(call: &RequestContext, caller: &Principal, kind: ProductKind) -> Result<Reply<ProductView>, Problem> {
    shown(call, &products::view::show(call.shop(), caller, call.id(ProductId::parse)?, kind).await?)
}

/// Deletes a product.
pub async fn delete(call: &RequestContext, caller: &Principal, kind: ProductKind) -> Result<Deleted, Problem> {
    products::view::delete(call.shop(), caller, call.id(ProductId::parse)?, kind).await?;
    Ok(Deleted)
}

/// Subtracts used bandwidth.
pub async fn consume(
    call: &RequestContext,
    caller: &Principal,
    id: ProductId,
    input: &Input,
) -> Result<Reply<ProductView>, Problem> {
    let mut reader = Reader::new(input);
    reader.required("amount");
    let bytes = reader.integer("amount", 0, i64::MAX);
    reader.finish()?;
    shown(call, &products::view::consume_bandwidth(call.shop(), caller, id, bytes.unwrap_or(0)).await?)
}

/// Applies a report.
pub async fn patch(
    call: &RequestContext,
    caller: &Principal,
    before: &Product,
    input: &Input,
) -> Result<Reply<ProductView>, Problem> {
    let mut reader = Reader::new(input);
    let comment = reader.text("comment", free(42));
    let status = reader.choice("status", ProductStatus::parse);
    if let Some(host) = reader.raw("host") {
        reader.complain_nested("host", host_problem(host));
    }
    refuse_new_subject(&mut reader, &before.subject);
    if let Some(date) = reader.date("suspend_after")
        && date.is_none_or(|date| date.to_wire() != end(before.suspend_after))
    {
        reader.complain("suspend_after", Message::EndIsFixed);
    }
    let mut report = ProductPatch { status, comment, ..ProductPatch::default() };
    if before.kind() == ProductKind::TorBridge {
        report.bandwidth_remaining = reader.integer("bandwidth_remaining", i64::MIN, i64::MAX);
        report.bandwidth_last_checked = reader.date("bandwidth_last_checked");
    }
    reader.finish()?;
    shown(call, &products::view::patch(call.shop(), caller, before.id, before.kind(), report).await?)
}

/// What was bought stays as it is; repeating it is fine.
fn refuse_new_subject(reader: &mut Reader<'_>, subject: &Subject) {
    match subject {
        Subject::Target(target) => {
            let Some(Some(new)) = reader.text("target", filled(target::MAX_LENGTH)) else { return };
            match target::parse(&new) {
                Ok(new) if new == *target => {}
                Ok(_) => reader.complain("target", Message::TargetIsFixed),
                Err(problems) => problems.into_iter().for_each(|problem| reader.complain("target", problem)),
            }
        }
        Subject::Alias { alias, public_key } => {
            if let Some(Some(new)) = reader.text("alias", filled(alias::MAX_LENGTH))
                && !new.eq_ignore_ascii_case(alias)
            {
                let problem = alias::parse_alias(&new).err();
                reader.complain("alias", problem.unwrap_or(Message::AliasIsFixed));
            }
            let Some(Some(new)) = reader.text("public_key", filled(alias::MAX_KEY_LENGTH)) else { return };
            match alias::parse_public_key(&new) {
                Ok(new) if new == *public_key => {}
                Ok(_) => reader.complain("public_key", Message::KeyIsFixed),
                Err(problem) => reader.complain("public_key", problem),
            }
        }
    }
}

/// Why a product's host can't be written, in the shape of the value.
fn host_problem(host: &Value) -> Fields {
    match host {
        Value::Object(fields) if fields.contains_key("site") => {
            Fields::nested("site", Fields::one("domain", Message::ProductHostIsFixed))
        }
        Value::Object(_) => Fields::one(NON_FIELD, Message::ProductHostIsFixed),
        other => Fields::one(NON_FIELD, Message::NoDictionary { kind: type_name(other) }),
    }
}

/// Why a product is neither made nor replaced over the API: it comes from an order, and changes by
/// reports. Missing fields are named as the contract names them.
pub fn never_writable(kind: ProductKind, input: &Input) -> Problem {
    let mut reader = Reader::new(input);
    if let Some(host) = reader.required("host") {
        reader.complain_nested("host", host_problem(host));
    }
    match kind {
        ProductKind::TorBridge => drop(reader.required("target")),
        ProductKind::NostrAlias => {
            reader.required("alias");
            reader.required("public_key");
        }
    }
    let refused = || Problem::field(NON_FIELD, Message::ProductsFromOrders);
    reader.finish().err().unwrap_or_else(refused)
}
