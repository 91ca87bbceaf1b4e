//! The REST face: the same node, in JSON.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{Sim, hash_of, payment_hash, start};
use crate::Fault;

async fn send(sim: &Sim, macaroon: &str, method: &str, path: &str, body: &Value) -> hyper::Result<Response<Incoming>> {
    let stream = TcpStream::connect(sim.running.rest_addr().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = sim.tls(b"http/1.1").connect(name, stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Host", "localhost")
        .header("Grpc-Metadata-macaroon", hex::encode(sim.macaroon(macaroon)))
        .body(Full::new(Bytes::from(if body.is_null() { String::new() } else { body.to_string() })))
        .unwrap();
    sender.send_request(request).await
}

async fn answer(sim: &Sim, macaroon: &str, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let response = send(sim, macaroon, method, path, &body).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn get(sim: &Sim, path: &str) -> Value {
    let (status, value) = answer(sim, "shop.macaroon", "GET", path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{value}");
    value
}

async fn post(sim: &Sim, path: &str, body: Value) -> Value {
    let (status, value) = answer(sim, "shop.macaroon", "POST", path, body).await;
    assert_eq!(status, StatusCode::OK, "{value}");
    value
}

/// The next line of a stream.
async fn line(response: &mut Response<Incoming>) -> Value {
    let frame = response.body_mut().frame().await.expect("the stream goes on").unwrap();
    let data = frame.into_data().expect("a line");
    assert_eq!(data.last(), Some(&b'\n'));
    serde_json::from_slice(&data).unwrap()
}

#[tokio::test]
async fn an_invoice_made_by_rest_is_the_same_everywhere() {
    let sim = start().await;
    let body = json!({"r_preimage": STANDARD.encode([7; 32]), "value_msat": "5000", "memo": "PO: 1", "expiry": "60"});
    let made = post(&sim, "/v1/invoices", body).await;
    let hash = hash_of(&[7; 32]);
    assert_eq!(made["r_hash"], STANDARD.encode(&hash));
    assert_eq!(made["add_index"], "1");
    let found = get(&sim, &format!("/v1/invoice/{}", hex::encode(&hash))).await;
    assert_eq!((&found["value"], &found["value_msat"], &found["state"]), (&json!("5"), &json!("5000"), &json!("OPEN")));
    assert_eq!(found["payment_request"], made["payment_request"]);
    let again = get(&sim, &format!("/v2/invoices/lookup?payment_hash={}", URL_SAFE.encode(&hash))).await;
    assert_eq!(again, found);
    assert_eq!(sim.look_up(&hash).await.payment_request, made["payment_request"].as_str().unwrap());
    let listed = get(&sim, "/v1/invoices?pending_only=true&num_max_invoices=5").await;
    assert_eq!(listed["invoices"], json!([found]));
    assert_eq!(listed["last_index_offset"], "1");
}

#[tokio::test]
async fn refusals_carry_the_grpc_code_and_a_status() {
    let sim = start().await;
    let path = format!("/v1/invoice/{}", hex::encode([1; 32]));
    let (status, error) = answer(&sim, "shop.macaroon", "GET", &path, Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(error, json!({"code": 5, "message": "unable to locate invoice", "details": []}));
    let (status, error) = answer(&sim, "invoice.macaroon", "GET", "/v1/getinfo", Value::Null).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((&error["code"], &error["message"]), (&json!(2), &json!("permission denied")));
    let (status, _) = answer(&sim, "shop.macaroon", "POST", "/v1/invoices", json!({"memoo": "x"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = answer(&sim, "shop.macaroon", "GET", "/v1/nothing", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_node_tells_about_itself() {
    let sim = start().await;
    let info = get(&sim, "/v1/getinfo").await;
    assert_eq!(info["chains"][0]["network"], "regtest");
    assert_eq!(info["synced_to_chain"], true);
    let (_, balance) = answer(&sim, "readonly.macaroon", "GET", "/v1/balance/channels", Value::Null).await;
    assert_eq!(balance["remote_balance"]["sat"], "100000000");
}

#[tokio::test]
async fn settlements_come_in_lines() {
    let sim = start().await;
    for value in 1..=2 {
        let made = sim.invoice(value).await;
        assert_eq!(sim.pay(&made.payment_request).await, "");
    }
    let path = "/v1/invoices/subscribe?settle_index=1";
    let mut stream = send(&sim, "shop.macaroon", "GET", path, &Value::Null).await.unwrap();
    let told = line(&mut stream).await;
    assert_eq!((&told["result"]["settle_index"], &told["result"]["state"]), (&json!("2"), &json!("SETTLED")));
    sim.running.faults().drop_streams();
    assert_eq!(line(&mut stream).await["error"]["code"], 14);
}

#[tokio::test]
async fn a_hold_is_watched_and_settled_by_rest() {
    let sim = start().await;
    let hash = hash_of(&[5; 32]);
    let body = json!({"hash": STANDARD.encode(&hash), "value": 3, "cltv_expiry": "40"});
    post(&sim, "/v2/invoices/hodl", body).await;
    let path = format!("/v2/invoices/subscribe/{}", URL_SAFE.encode(&hash));
    let mut stream = send(&sim, "shop.macaroon", "GET", &path, &Value::Null).await.unwrap();
    assert_eq!(line(&mut stream).await["result"]["state"], "OPEN");
    sim.running.node().arrive(payment_hash(&hash), &[3000], 3000).unwrap();
    let held = line(&mut stream).await;
    assert_eq!(held["result"]["state"], "ACCEPTED");
    assert_eq!(held["result"]["htlcs"][0]["expiry_height"], 1043);
    post(&sim, "/v2/invoices/settle", json!({"preimage": STANDARD.encode([5; 32])})).await;
    assert_eq!(line(&mut stream).await["result"]["state"], "SETTLED");
    assert!(stream.body_mut().frame().await.is_none());
    let body = json!({"payment_hash": STANDARD.encode(&hash)});
    let (_, error) = answer(&sim, "shop.macaroon", "POST", "/v2/invoices/cancel", body).await;
    assert_eq!(error["message"], "invoice already settled");
}

#[tokio::test]
async fn the_same_faults_strike() {
    let sim = start().await;
    sim.running.faults().next("AddInvoice", Fault::LoseAnswer, 1);
    let body = json!({"r_preimage": STANDARD.encode([7; 32]), "value": "1"});
    let (status, error) = answer(&sim, "shop.macaroon", "POST", "/v1/invoices", body).await;
    assert_eq!((status, &error["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(14)));
    sim.look_up(&hash_of(&[7; 32])).await;
    sim.running.faults().next("GetInfo", Fault::Reset, 1);
    send(&sim, "shop.macaroon", "GET", "/v1/getinfo", &Value::Null).await.unwrap_err();
}
