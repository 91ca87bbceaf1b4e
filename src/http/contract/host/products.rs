//! What Tor bridges and Nostr aliases have in common for their host.

use serde_json::{Value, json};

use crate::domain::id::{HostId, ProductId};
use crate::domain::product::{Product, ProductKind, ProductStatus, Subject};
use crate::domain::{alias, target};
use crate::http::contract::answer::{Deleted, Reply};
use crate::http::contract::body::read::{Reader, TextRule};
use crate::http::contract::body::{Input, type_name};
use crate::http::contract::call::Call;
use crate::http::contract::dto::end;
use crate::http::contract::dto::product::ProductView;
use crate::http::problem::Problem;
use crate::services::Principal;
use crate::services::error::NON_FIELD;
use crate::services::products;
use crate::services::products::view::ProductPatch;
use crate::services::products::view::ProductView as Found;

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
    call: &Call,
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
            problems.complain("host", format!("\u{201c}{text}\u{201d} is not a valid UUID."));
        }
        id
    });
    let status = status.filter(|text| !text.is_empty()).and_then(|text| {
        let status = ProductStatus::parse(text);
        if status.is_none() {
            let message = format!("Select a valid choice. {text} is not one of the available choices.");
            problems.complain("status", message);
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
pub fn find(call: &Call, caller: &Principal, kind: ProductKind) -> Result<Found, Problem> {
    Ok(products::view::get(call.shop(), caller, call.id(ProductId::parse)?, kind)?)
}

fn shown(call: &Call, view: &Found) -> Result<Reply<ProductView>, Problem> {
    let site = call.site()?;
    Ok(Reply(ProductView::new(call, &view.product, &view.host, &site)))
}

/// One product. A host is told of it as by a list.
pub async fn read(call: &Call, caller: &Principal, kind: ProductKind) -> Result<Reply<ProductView>, Problem> {
    shown(call, &products::view::show(call.shop(), caller, call.id(ProductId::parse)?, kind).await?)
}

/// Deletes a product.
pub async fn delete(call: &Call, caller: &Principal, kind: ProductKind) -> Result<Deleted, Problem> {
    products::view::delete(call.shop(), caller, call.id(ProductId::parse)?, kind).await?;
    Ok(Deleted)
}

/// Subtracts used bandwidth.
pub async fn consume(
    call: &Call,
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
    call: &Call,
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
        reader.complain("suspend_after", "It follows from what was paid and can't be changed.");
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
                Ok(_) => reader.complain("target", "The buyer's target can't be changed."),
                Err(problems) => problems.into_iter().for_each(|problem| reader.complain("target", problem)),
            }
        }
        Subject::Alias { alias, public_key } => {
            if let Some(Some(new)) = reader.text("alias", filled(alias::MAX_LENGTH))
                && !new.eq_ignore_ascii_case(alias)
            {
                let problem = alias::parse_alias(&new).err();
                reader.complain("alias", problem.unwrap_or_else(|| "The buyer's alias can't be changed.".to_owned()));
            }
            let Some(Some(new)) = reader.text("public_key", filled(alias::MAX_KEY_LENGTH)) else { return };
            match alias::parse_public_key(&new) {
                Ok(new) if new == *public_key => {}
                Ok(_) => reader.complain("public_key", "The buyer's key can't be changed."),
                Err(problem) => reader.complain("public_key", problem),
            }
        }
    }
}

/// Why a product's host can't be written, in the shape of the value.
fn host_problem(host: &Value) -> Value {
    let text = "A product's host can't be changed.";
    match host {
        Value::Object(fields) if fields.contains_key("site") => json!({ "site": { "domain": [text] } }),
        Value::Object(_) => json!({ NON_FIELD: [text] }),
        other => {
            let text = format!("Invalid data. Expected a dictionary, but got {}.", type_name(other));
            json!({ NON_FIELD: [text] })
        }
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
    let refused = || Problem::field(NON_FIELD, "Products come from orders; report changes with PATCH.");
    reader.finish().err().unwrap_or_else(refused)
}
