//! Lists as files: CSV, or JSON, one line at a time as the database is read, so that none is too long.

use std::io::Error as IoError;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use tokio::sync::mpsc;

use super::dashboard_views::AdminTotal;
use super::order_views::AdminOrder;
use crate::domain::texts::Language;
use crate::http::App;
use crate::services::orders::search::{self, Query};
use crate::services::{Error, Principal};

/// Orders read from the database at a time.
const BATCH: u32 = 500;
/// Batches that wait for the client: it reads as fast as it likes, and nothing piles up.
const AHEAD: usize = 2;

/// A file of comma-separated values, as RFC 4180 has it.
pub struct Csv(Response);

impl Csv {
    /// A file that is known whole.
    pub fn of(name: &str, text: String) -> Self {
        Self(file(name, "text/csv; charset=utf-8", Body::from(text)))
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Csv {
    fn meta() -> MetaResponses {
        of_type("text/csv; charset=utf-8")
    }

    fn register(_: &mut Registry) {}
}

/// A file with one JSON document in each line.
pub struct JsonLines(Response);

impl IntoResponse for JsonLines {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for JsonLines {
    fn meta() -> MetaResponses {
        of_type("application/x-ndjson")
    }

    fn register(_: &mut Registry) {}
}

/// A picture.
pub struct Png(pub Bytes);

impl IntoResponse for Png {
    fn into_response(self) -> Response {
        Response::builder()
            .header(header::CONTENT_TYPE, "image/png")
            .header(header::CACHE_CONTROL, "private, no-store")
            .body(self.0)
    }
}

impl ApiResponse for Png {
    fn meta() -> MetaResponses {
        of_type("image/png")
    }

    fn register(_: &mut Registry) {}
}

fn of_type(content_type: &'static str) -> MetaResponses {
    let content = vec![MetaMediaType { content_type, schema: String::schema_ref() }];
    let (description, status) = ("Done.", Some(StatusCode::OK.as_u16()));
    MetaResponses {
        responses: vec![MetaResponse { description, status, status_range: None, content, headers: Vec::new() }],
    }
}

fn file(name: &str, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::builder().header(header::CONTENT_TYPE, content_type).body(body);
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// Orders as CSV.
pub fn orders_csv(app: &Arc<App>, by: Principal, query: Query, language: Language) -> Csv {
    let columns = "id,kind,status,created_at,paid_at,host_id,host_name,product_id,what,price_msat,received_msat,owed_msat,\
                   refunded_msat,payment_hash,currency,rate_cents\r\n";
    let lines = orders(app, by, query, language, Some(columns), csv_line);
    Csv(file("orders.csv", "text/csv; charset=utf-8", lines))
}

/// Orders as JSON lines.
pub fn orders_json(app: &Arc<App>, by: Principal, query: Query, language: Language) -> JsonLines {
    let line = |order: &AdminOrder| serde_json::to_string(order).map(|text| text + "\n").unwrap_or_default();
    JsonLines(file("orders.jsonl", "application/x-ndjson", orders(app, by, query, language, None, line)))
}

/// Orders, one line each. What goes wrong on the way ends the body early, which a client notices.
fn orders(
    app: &Arc<App>,
    by: Principal,
    query: Query,
    language: Language,
    head: Option<&'static str>,
    line: fn(&AdminOrder) -> String,
) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, IoError>>(AHEAD);
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        if head.is_some_and(|head| sender.blocking_send(Ok(Bytes::from_static(head.as_bytes()))).is_err()) {
            return;
        }
        let mut query = Query { limit: BATCH, ..query };
        loop {
            let found = match app.shop.read(&by, |tx| search::list(tx, &query)) {
                Ok(found) => found,
                Err(error) => return drop(sender.blocking_send(Err(broken(&error)))),
            };
            let text: String = found.iter().map(|view| line(&AdminOrder::new(view, language))).collect();
            if !text.is_empty() && sender.blocking_send(Ok(Bytes::from(text))).is_err() {
                return;
            }
            match found.last().filter(|_| found.len() == BATCH as usize) {
                Some(last) => query.after = Some(last.purchase.id),
                None => return,
            }
        }
    });
    let next = |mut receiver: mpsc::Receiver<Result<Bytes, IoError>>| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    };
    Body::from_bytes_stream(futures_util::stream::unfold(receiver, next))
}

fn broken(error: &Error) -> IoError {
    tracing::warn!(%error, "an export of orders ended early");
    IoError::other("the rest can't be read")
}

fn csv_line(order: &AdminOrder) -> String {
    let invoice = &order.invoice;
    let rate = invoice.tax_rate.as_ref().or(invoice.info_rate.as_ref());
    let fields = [
        order.id.clone(),
        order.kind.clone(),
        order.status.clone(),
        order.created_at.clone(),
        invoice.paid_at.clone().unwrap_or_default(),
        order.host_id.clone(),
        order.host_name.clone(),
        order.product_id.clone(),
        order.what.clone(),
        order.price.to_string(),
        order.received.map_or_else(String::new, |amount| amount.to_string()),
        order.owed.to_string(),
        order.refunded.to_string(),
        invoice.payment_hash.clone(),
        rate.map_or_else(String::new, |rate| rate.currency.clone()),
        rate.map_or_else(String::new, |rate| rate.cents.to_string()),
    ];
    line_of(&fields)
}

/// Months as CSV.
pub fn csv_of_totals(totals: &[AdminTotal]) -> String {
    let head = "month,currency,sold,extended,received_msat,received_cents,refunded_msat,refunded_cents,fees_msat,fees_cents\r\n";
    let line = |total: &AdminTotal| {
        line_of(&[
            total.day.clone(),
            total.currency.clone().unwrap_or_default(),
            total.sold.to_string(),
            total.extended.to_string(),
            total.received_msat.to_string(),
            total.received_cents.to_string(),
            total.refunded_msat.to_string(),
            total.refunded_cents.to_string(),
            total.fees_msat.to_string(),
            total.fees_cents.to_string(),
        ])
    };
    totals.iter().fold(head.to_owned(), |text, total| text + &line(total))
}

fn line_of(fields: &[String]) -> String {
    fields.iter().map(|field| escaped(field)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A field in quotes where it needs them. What a spreadsheet would take for a formula is told to be a text: a buyer may
/// have chosen it.
fn escaped(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t']) && field.parse::<f64>().is_err();
    let text = if is_formula { format!("'{field}") } else { field.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_file_is_one_field_and_no_formula() {
        for (field, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("-5", "-5"),
            ("@x,y", "\"'@x,y\""),
        ] {
            assert_eq!(escaped(field), expected);
        }
    }
}
