//! Orders that a person places with a form, which may be sent twice: it makes one order all the same.

use uuid::Uuid;

use super::place::{OrderRequest, store_order};
use crate::domain::id::OrderId;
use crate::services::shop::Shop;
use crate::services::{Error, Principal};
use crate::store::{Connection, deals, unpaid};

/// Places the order that a form asks for, once: the same form sent again, with the same content, finds the order that
/// it has made. `form` is the random part of the form, of which the order's id is derived, so that nothing has to be
/// remembered.
pub async fn place_once(shop: &Shop, form: Uuid, request: OrderRequest) -> Result<OrderId, Error> {
    let shop_in_change = shop.clone();
    shop.tx(&Principal::Buyer, move |tx| {
        let id = id_of_form(&shop_in_change, tx.db, form, &request)?;
        match deals::purchase(tx.db, id)? {
            Some(_) => Ok(id),
            None => store_order(&shop_in_change, tx, id, request),
        }
    })
    .await
}

/// The order that a form with this content has made already.
pub fn made_by_form(shop: &Shop, form: Uuid, request: &OrderRequest) -> Result<Option<OrderId>, Error> {
    shop.db.read(|db| {
        let id = id_of_form(shop, db, form, request)?;
        Ok(deals::purchase(db, id)?.map(|_| id))
    })
}

/// What was changed in a form is another order: who goes back to correct a target does not get the old one. Nor is the
/// id of an order that was deleted, since nobody had paid it, given again: the hashes of its invoices follow from it,
/// and its node may know them still.
fn id_of_form(shop: &Shop, db: &Connection, form: Uuid, request: &OrderRequest) -> Result<OrderId, Error> {
    let OrderRequest { product, host_id, target, alias, public_key, comment, periods, .. } = request;
    let texts = [target, alias, public_key, comment].map(|text| text.as_deref().unwrap_or_default());
    let mut texts = texts.map(str::as_bytes).join(&0);
    if *periods > 1 {
        texts.extend(periods.to_be_bytes());
    }
    let mut deleted = 0_u32;
    loop {
        let number = deleted.to_be_bytes();
        let parts = [form.as_bytes(), host_id.0.as_bytes(), product.name().as_bytes(), texts.as_slice(), &number];
        let id = shop.derived_id(&parts);
        if unpaid::ordered_on(db, id)?.is_none() {
            return Ok(id);
        }
        deleted += 1;
    }
}
