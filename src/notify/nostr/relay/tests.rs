//! What is made of what relays say, and relays that behave as they like, over real connections.

use super::*;
use std::sync::Arc;

use bitcoin::secp256k1::{Secp256k1, SecretKey};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

fn heard(said: &[&str]) -> (Next, Heard) {
    let mut heard = Heard::of(&json!({"id": "e1"}));
    let mut next = Next::Wait;
    for said in said {
        next = heard.hear(said);
    }
    (next, heard)
}

#[test]
fn what_a_relay_says_is_understood() {
    let taken = Next::Done(Ok(()));
    assert_eq!(heard(&[r#"["OK","e1",true,""]"#]).0, taken);
    assert_eq!(heard(&[r#"["OK","e1",false,"duplicate: have it"]"#]).0, taken);
    assert!(
        matches!(heard(&[r#"["OK","e1",false,"blocked: no"]"#]).0, Next::Done(Err(why)) if why.contains("blocked"))
    );
    for other in [r#"["OK","e2",true,""]"#, "nonsense", "[]", r#"{"a":1}"#, r#"["NOTICE"]"#, r#"["EOSE","x"]"#] {
        assert_eq!(heard(&[other]).0, Next::Wait, "{other}");
    }
    let (_, said) = heard(&[r#"["NOTICE","slow down"]"#]);
    assert!(said.closed("gone").contains("slow down"));
}

#[test]
fn a_relay_that_wants_to_know_who_asks_is_told_once_whichever_it_says_first() {
    let (refused, challenge) = (r#"["OK","e1",false,"auth-required: who?"]"#, r#"["AUTH","c1"]"#);
    for order in [[refused, challenge], [challenge, refused]] {
        assert_eq!(heard(&order).0, Next::Authenticate("c1".to_owned()));
    }
    assert_eq!(heard(&[challenge]).0, Next::Wait, "not before it is asked for");
    assert!(matches!(heard(&[challenge, refused, challenge, refused]).0, Next::Done(Err(_))));
    assert!(matches!(heard(&[challenge, refused, r#"["OK","a1",false,"who?"]"#]).0, Next::Done(Err(_))));
    assert_eq!(heard(&[challenge, refused, r#"["OK","a1",true,""]"#]).0, Next::Wait);
}

/// How a relay behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It takes everything.
    Takes,
    /// It refuses everything.
    Refuses,
    /// It wants to know who asks, and says so before it is asked or afterwards.
    WantsToKnow { first: bool },
    /// It says something, and closes.
    Grumbles,
    /// It closes at once.
    Closes,
    /// It says nothing.
    Silent,
    /// It speaks another protocol.
    IsNone,
}

/// A relay on loopback: its URL, and all that it was told.
pub async fn relay(manner: Manner) -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let told: Arc<Mutex<Vec<Value>>> = Arc::default();
    let heard = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, manner, Arc::clone(&heard)));
        }
    });
    (url, told)
}

async fn serve(mut stream: TcpStream, manner: Manner, told: Arc<Mutex<Vec<Value>>>) -> Option<()> {
    match manner {
        Manner::Closes => return None,
        Manner::IsNone => {
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            return tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.ok();
        }
        _ => {}
    }
    let mut socket = accept_async(stream).await.ok()?;
    if manner == (Manner::WantsToKnow { first: true }) {
        socket.send(Frame::text(json!(["AUTH", "c1"]).to_string())).await.ok()?;
    }
    let mut knows = false;
    while let Some(Ok(Frame::Text(text))) = socket.next().await {
        let said: Value = serde_json::from_str(&text).unwrap();
        told.lock().push(said.clone());
        let id = &said[1]["id"];
        let answers = match (manner, said[0].as_str().unwrap()) {
            (Manner::WantsToKnow { .. }, "AUTH") => {
                knows = said[1]["tags"][1] == json!(["challenge", "c1"]) && said[1]["kind"] == json!(22_242);
                vec![json!(["OK", id, knows, ""])]
            }
            (Manner::WantsToKnow { first }, _) if !knows => {
                let refused = json!(["OK", id, false, "auth-required: who asks?"]);
                if first { vec![refused] } else { vec![refused, json!(["AUTH", "c1"])] }
            }
            (Manner::Takes | Manner::WantsToKnow { .. }, _) => {
                vec![json!(["NOTICE", "hello"]), json!(["OK", id, true, ""])]
            }
            (Manner::Refuses, _) => {
                vec![json!(["OK", "another", true, ""]), json!(["OK", id, false, "blocked: not you"])]
            }
            (Manner::Grumbles, _) => vec![json!(["NOTICE", "slow down"])],
            _ => vec![],
        };
        for answer in answers {
            socket.send(Frame::text(answer.to_string())).await.ok()?;
        }
        if manner == Manner::Grumbles {
            return socket.close(None).await.ok();
        }
    }
    Some(())
}

async fn publish(url: &str, limit: Duration) -> Result<(), String> {
    let sender = Keypair::from_secret_key(&Secp256k1::new(), &SecretKey::from_slice(&[1; 32]).unwrap());
    let now = Timestamp::from_secs(1_800_000_000);
    let event = signed(&sender, now.secs(), 1059, &json!([]), "sealed", &SystemRandom);
    Relay { url, dial: &Dial::direct(), sender: &sender, now, limit }.publish(&event).await
}

#[tokio::test]
async fn a_relay_is_given_the_event_and_told_who_asks_only_when_it_wants_to_know() {
    for (manner, words) in [
        (Manner::Takes, vec!["EVENT"]),
        (Manner::WantsToKnow { first: true }, vec!["EVENT", "AUTH", "EVENT"]),
        (Manner::WantsToKnow { first: false }, vec!["EVENT", "AUTH", "EVENT"]),
    ] {
        let (url, told) = relay(manner).await;
        assert_eq!(publish(&url, TIME_LIMIT).await, Ok(()), "{manner:?}");
        let said: Vec<_> = told.lock().iter().map(|said| said[0].as_str().unwrap().to_owned()).collect();
        assert_eq!(said, words, "{manner:?}");
    }
}

#[tokio::test]
async fn what_a_rude_relay_does_is_told_in_one_line() {
    for (manner, part) in [
        (Manner::Refuses, "blocked: not you"),
        (Manner::Grumbles, "slow down"),
        (Manner::Closes, "WebSocket"),
        (Manner::IsNone, "404"),
        (Manner::Silent, "no answer within"),
    ] {
        let (url, _) = relay(manner).await;
        let limit = if manner == Manner::Silent { Duration::from_millis(300) } else { TIME_LIMIT };
        let why = publish(&url, limit).await.unwrap_err();
        assert!(why.contains(part) && !why.contains('\n'), "{manner:?}: {why}");
    }
}
