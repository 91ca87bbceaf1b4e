//! LND's REST face: the same calls over HTTPS and JSON, as LND's gateway offers them.

use std::sync::Arc;

use futures_util::stream::StreamExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use tonic::body::Body;
use tonic::{Code, Status};

use super::grpc::{Access, Reset, strike};
use super::rest_calls::{Reply, call};
use super::rest_fields::Fields;
use super::streams::Answers;

/// LND's own limit of a request body.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Answers one request.
pub async fn serve(access: Arc<Access>, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let routed = route(&head.method, &path).filter(|(rpc, _)| !access.node.faults.lacks(rpc));
    let Some((rpc, argument)) = routed else {
        return Ok(refusal(&Status::not_found("Not Found")));
    };
    let faults = strike(&access.node, rpc.rsplit('/').next().unwrap_or_default()).await?;
    let unavailable = || refusal(&Status::unavailable("transport is closing"));
    if faults.unavailable {
        return Ok(unavailable());
    }
    let reply = match access.admit(rpc, head.headers.get_all("grpc-metadata-macaroon")) {
        Ok(()) => match fields(&head.method, head.uri.query(), body).await {
            Ok(fields) => call(Arc::clone(&access.node), rpc, argument, fields).await,
            Err(status) => Err(status),
        },
        Err(status) => Err(status),
    };
    if faults.reset_after {
        return Err(Reset);
    }
    Ok(match reply {
        _ if faults.lose_answer => unavailable(),
        Ok(Reply::One(value)) => answer(StatusCode::OK, whole_or_cut(value.to_string(), faults.cut)),
        Ok(Reply::Lines(mut lines)) if faults.cut => {
            let first = lines.next().await.map_or_else(String::new, line);
            answer(StatusCode::OK, whole_or_cut(first, true))
        }
        Ok(Reply::Lines(lines)) => answer(StatusCode::OK, in_lines(lines)),
        Err(status) if is_streaming(rpc) => refusal_of_stream(&status),
        Err(status) => refusal(&status),
    })
}

/// The gateway asks by gRPC itself, and hands on what a stream ends with as the last line of a stream, also when it is
/// the first.
fn is_streaming(rpc: &str) -> bool {
    ["/SubscribeInvoices", "/SubscribeSingleInvoice", "/SendPaymentV2", "/TrackPaymentV2"]
        .iter()
        .any(|method| rpc.ends_with(method))
}

/// The gRPC call behind a path, and the last part of the path when it is an argument.
fn route<'a>(method: &Method, path: &'a str) -> Option<(&'static str, &'a str)> {
    let get = method == Method::GET;
    let post = method == Method::POST;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (rpc, argument) = match parts.as_slice() {
        ["v1", "getinfo"] if get => ("/lnrpc.Lightning/GetInfo", ""),
        ["v1", "balance", "channels"] if get => ("/lnrpc.Lightning/ChannelBalance", ""),
        ["v1", "invoices"] if post => ("/lnrpc.Lightning/AddInvoice", ""),
        ["v1", "invoices"] if get => ("/lnrpc.Lightning/ListInvoices", ""),
        ["v1", "invoices", "subscribe"] if get => ("/lnrpc.Lightning/SubscribeInvoices", ""),
        ["v1", "invoice", hash] if get => ("/lnrpc.Lightning/LookupInvoice", *hash),
        ["v1", "payreq", request] if get => ("/lnrpc.Lightning/DecodePayReq", *request),
        ["v1", "channels", "transactions"] if post => ("/lnrpc.Lightning/SendPaymentSync", ""),
        ["v2", "invoices", "hodl"] if post => ("/invoicesrpc.Invoices/AddHoldInvoice", ""),
        ["v2", "invoices", "settle"] if post => ("/invoicesrpc.Invoices/SettleInvoice", ""),
        ["v2", "invoices", "cancel"] if post => ("/invoicesrpc.Invoices/CancelInvoice", ""),
        ["v2", "invoices", "lookup"] if get => ("/invoicesrpc.Invoices/LookupInvoiceV2", ""),
        ["v2", "invoices", "subscribe", hash] if get => ("/invoicesrpc.Invoices/SubscribeSingleInvoice", *hash),
        ["v2", "router", "send"] if post => ("/routerrpc.Router/SendPaymentV2", ""),
        ["v2", "router", "track", hash] if get => ("/routerrpc.Router/TrackPaymentV2", *hash),
        _ => return None,
    };
    Some((rpc, argument))
}

/// What the request says, in its query or its body.
async fn fields(method: &Method, query: Option<&str>, body: Incoming) -> Result<Fields, Status> {
    if method == Method::GET {
        return Fields::from_query(query.unwrap_or_default());
    }
    let read = Limited::new(body, MAX_BODY).collect().await;
    let bytes = read.map_err(|error| Status::invalid_argument(error.to_string()))?.to_bytes();
    Fields::from_json(&bytes)
}

/// One JSON document per line; an error is the last line.
fn in_lines(lines: Answers<Value>) -> Body {
    let frames = lines.map(|answer| Ok::<_, Reset>(Frame::data(bytes::Bytes::from(line(answer)))));
    Body::new(StreamBody::new(frames))
}

fn line(answer: Result<Value, Status>) -> String {
    let line = match answer {
        Ok(value) => json!({ "result": value }),
        Err(status) => json!({ "error": error(&status) }),
    };
    format!("{line}\n")
}

/// The text, or its first half and then the end of the connection.
fn whole_or_cut(text: String, cut: bool) -> Body {
    if !cut {
        return Body::new(Full::from(text));
    }
    let mut bytes = text.into_bytes();
    bytes.truncate(bytes.len() / 2);
    let half = Ok(Frame::data(bytes::Bytes::from(bytes)));
    Body::new(StreamBody::new(futures_util::stream::iter([half, Err(Reset)])))
}

fn error(status: &Status) -> Value {
    json!({ "code": i32::from(status.code()), "message": status.message(), "details": [] })
}

fn refusal(status: &Status) -> Response<Body> {
    answer(http_status(status), Body::new(Full::from(error(status).to_string())))
}

fn refusal_of_stream(status: &Status) -> Response<Body> {
    answer(http_status(status), Body::new(Full::from(line(Err(status.clone())))))
}

fn http_status(status: &Status) -> StatusCode {
    match status.code() {
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
