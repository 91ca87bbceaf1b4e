//! Probes of ports and proxies on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A budget that is used up: long enough for several attempts on a machine that is slow and busy.
const SHORT: Duration = Duration::from_secs(5);
/// A budget that is not used up.
const LONG: Duration = Duration::from_secs(60);
/// Between two attempts.
const BRIEF_PAUSE: Duration = Duration::from_millis(20);

async fn try_port(port: u16, tls: bool) -> Verdict {
    let target = Target { host: "127.0.0.1".to_owned(), port, tls };
    repeat(&Dialer::Direct, &target, LONG, BRIEF_PAUSE).await
}

#[tokio::test]
async fn a_closed_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let verdict = try_port(port, false).await;
    assert_eq!(verdict.to_string(), format!("The target was found, but nothing answers on port {port}"));
    assert!(verdict.blames_target());
}

/// A port whose server does to each connection, by its number, what `serve` says; and how many
/// there were.
async fn server(serve: fn(TcpStream, usize) -> BoxFuture<'static, ()>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::spawn(serve(connection, number));
        }
    });
    (port, count)
}

/// Refuses in TLS, which is TLS.
async fn alert(connection: &mut TcpStream) {
    let _ = connection.write_all(b"\x15\x03\x03\x00\x02\x02\x28").await;
    let _ = connection.shutdown().await;
}

async fn try_tls(port: u16, budget: Duration) -> Verdict {
    let target = Target { host: "127.0.0.1".to_owned(), port, tls: true };
    repeat(&Dialer::Direct, &target, budget, BRIEF_PAUSE).await
}

#[tokio::test]
async fn an_open_port_is_enough_without_tls_and_plain_text_is_not_enough_with() {
    let (port, _) = server(|mut connection, _| {
        Box::pin(async move {
            let _ = connection.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
            let _ = connection.read(&mut [0; 1024]).await;
        })
    })
    .await;
    assert_eq!(try_port(port, false).await, Verdict::Good);
    let verdict = try_port(port, true).await;
    assert_eq!(verdict, Verdict::NoTls { port });
    assert!(verdict.blames_target());
}

#[tokio::test]
async fn a_port_that_stays_silent_about_tls_is_not_good_and_not_blamed() {
    let (port, _) = server(|connection, _| {
        Box::pin(async move {
            std::future::pending::<()>().await;
            drop(connection);
        })
    })
    .await;
    let verdict = try_tls(port, SHORT).await;
    assert_eq!(verdict, Verdict::Unfinished { port });
    assert!(!verdict.is_good() && !verdict.blames_target());
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_tried_again_and_blames_nobody() {
    let (port, count) = server(|connection, _| Box::pin(async move { drop(connection) })).await;
    let verdict = try_tls(port, SHORT).await;
    assert!(!verdict.blames_target(), "{verdict:?}");
    assert!(count.load(Ordering::Relaxed) > ATTEMPTS as usize, "as long as there is time");

    let (port, _) = server(|mut connection, number| {
        Box::pin(async move {
            if number == 3 {
                alert(&mut connection).await;
            }
        })
    })
    .await;
    assert_eq!(try_tls(port, LONG).await, Verdict::Good);
}

#[tokio::test]
async fn tls_gets_its_time_however_long_the_connecting_took() {
    let budget = Duration::from_secs(10);
    let (port, count) = server(|mut connection, _| {
        Box::pin(async move {
            // Longer than the whole first attempt may take to connect.
            tokio::time::sleep(Duration::from_secs(5)).await;
            alert(&mut connection).await;
        })
    })
    .await;
    assert_eq!(try_tls(port, budget).await, Verdict::Good);
    assert_eq!(count.load(Ordering::Relaxed), 1, "at the first attempt");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_nobodys_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialer = Dialer::Socks(listener.local_addr().unwrap());
    let target = Target { host: "a.onion".to_owned(), port: 80, tls: false };
    let verdict = probe(&dialer, &target, Duration::from_millis(50)).await;
    assert!(matches!(verdict, Verdict::NoAnswer { .. }), "{verdict:?}");
    assert!(!verdict.blames_target());
}

/// A SOCKS proxy that accepts every login and answers every request with `reply`; counts them.
async fn proxy(reply: u8) -> (Dialer, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialer = Dialer::Socks(listener.local_addr().unwrap());
    let logins = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&logins);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 256];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(&[5, 2]).await;
            let length = stream.read(&mut bytes).await.unwrap_or(0);
            seen.lock().unwrap().push(bytes[..length].to_vec());
            let _ = stream.write_all(&[1, 0]).await;
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        }
    });
    (dialer, logins)
}

fn onion() -> Target {
    Target { host: "a.onion".to_owned(), port: 80, tls: false }
}

#[tokio::test]
async fn what_is_not_clear_is_tried_again_over_new_circuits_as_long_as_there_is_time() {
    let (dialer, logins) = proxy(1).await;
    let verdict = repeat(&dialer, &onion(), SHORT, BRIEF_PAUSE).await;
    assert!(matches!(verdict, Verdict::Unclear { .. }), "{verdict:?}");
    let mut logins = logins.lock().unwrap().clone();
    let tried = logins.len();
    assert!(tried > ATTEMPTS as usize, "{tried} attempts");
    logins.sort();
    logins.dedup();
    assert_eq!(logins.len(), tried, "no two attempts share a circuit");
}

#[tokio::test]
async fn circuits_that_hang_are_given_up_for_others_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialer = Dialer::Socks(listener.local_addr().unwrap());
    let accepted = tokio::spawn(async move { (listener.accept().await.unwrap(), listener.accept().await.unwrap()) });
    let verdict = repeat(&dialer, &onion(), SHORT, BRIEF_PAUSE).await;
    assert!(matches!(verdict, Verdict::NoAnswer { .. }), "{verdict:?}");
    tokio::time::timeout(LONG, accepted).await.expect("there was a second attempt").unwrap();
}

#[tokio::test]
async fn a_target_is_blamed_after_three_attempts() {
    let (dialer, logins) = proxy(5).await;
    let verdict = repeat(&dialer, &onion(), LONG, BRIEF_PAUSE).await;
    assert_eq!(verdict, Verdict::Closed { port: 80 });
    assert_eq!(logins.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_dead_proxy_is_the_shops_trouble_and_no_verdict() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialer = Dialer::Socks(listener.local_addr().unwrap());
    drop(listener);
    let verdict = probe(&dialer, &onion(), LONG).await;
    assert!(matches!(verdict, Verdict::NotTried { .. }), "{verdict:?}");
}

#[tokio::test]
async fn an_onion_target_without_tor_is_not_tried() {
    let target = Target { host: "a.onion".to_owned(), port: 80, tls: false };
    let verdict = probe(&Dialer::Direct, &target, Duration::from_millis(10)).await;
    assert!(matches!(verdict, Verdict::NotTried { .. }), "{verdict:?}");
    assert!(!verdict.blames_target());
}
