//! Orders that a person places with a form, which may be sent twice: it makes one order all the same.

use uuid::Uuid;

use super::place::{OrderRequest, store_order};
use crate::domain::id::OrderId;
use crate::services::shop::Shop;
use crate::services::{Error, Principal};
use crate::store::deals;

/// Places the order that a form asks for, once: the same form sent again, with the same content, finds the order that
/// it has made. `form` is the random part of the form, of which the order's id is derived, so that nothing has to be
/// remembered.
pub async fn place_once(shop: &Shop, form: Uuid, request: OrderRequest) -> Result<OrderId, Error> {
    let (shop_in_change, id) = (shop.clone(), id_of_form(shop, form, &request));
    shop.tx(&Principal::Buyer, move |tx| match deals::purchase(tx.db, id)? {
        Some(_) => Ok(id),
        None => store_order(&shop_in_change, tx, id, request),
    })
    .await
}

/// The order that a form with this content has made already.
pub fn made_by_form(shop: &Shop, form: Uuid, request: &OrderRequest) -> Result<Option<OrderId>, Error> {
    let id = id_of_form(shop, form, request);
    shop.db.read(|db| Ok(deals::purchase(db, id)?.map(|_| id)))
}

/// What was changed in a form is another order: who goes back to correct a target does not get the old one.
fn id_of_form(shop: &Shop, form: Uuid, request: &OrderRequest) -> OrderId {
    let OrderRequest { product, host_id, target, alias, public_key, comment, .. } = request;
    let texts = [target, alias, public_key, comment].map(|text| text.as_deref().unwrap_or_default());
    shop.derived_id(&[
        form.as_bytes(),
        host_id.0.as_bytes(),
        product.name().as_bytes(),
        &texts.map(str::as_bytes).join(&0),
    ])
}
