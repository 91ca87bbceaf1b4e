//! E-mail.

use super::mail_server::{Encrypts, MailServer};
use super::{NOW, channels, message, secret};

/// `AUTH PLAIN` of the name "shop" with the password "hunter2".
const LOGIN: &str = "AUTH PLAIN AHNob3AAaHVudGVyMg==";

fn config(dir: &tempfile::TempDir, server: &MailServer, tls: &str, certificate: bool) -> String {
    let password = secret(dir.path(), "password", "hunter2");
    let pem = dir.path().join("smtp.pem");
    let certificate = if certificate { format!("certificate = \"{}\"\n", pem.display()) } else { String::new() };
    format!(
        "[alerts.email]\nserver = \"localhost\"\nport = {}\ntls = \"{tls}\"\nuser = \"shop\"\npassword = \
         \"{password}\"\n{certificate}from = \"Shop <shop@example.com>\"\nto = [\"me@example.com\", \"you@example.com\"]",
        server.address.port()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_to_all_and_nothing_of_it_is_said_in_the_clear() {
    for (encrypts, tls) in [(Encrypts::Later, "starttls"), (Encrypts::AtOnce, "tls")] {
        let dir = tempfile::tempdir().unwrap();
        let server = MailServer::start(dir.path(), encrypts).await;
        channels(&config(&dir, &server, tls, true)).send("email", &message(), NOW).await.unwrap();
        let heard = server.heard();
        for line in [
            LOGIN,
            "RCPT TO:<me@example.com>",
            "RCPT TO:<you@example.com>",
            "Subject: Shop: node_dead (critical)",
            "Message-ID: <msg_1@example.com>",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(heard.lines().any(|heard| heard == format!("+{line}")), "{line} in {heard}");
        }
        let in_the_clear: Vec<_> = heard.lines().filter(|line| !line.starts_with('+')).collect();
        let greeting = if tls == "starttls" { vec!["EHLO example.com", "STARTTLS"] } else { vec![] };
        assert_eq!(in_the_clear, greeting);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_nobody_vouches_for_hears_nothing() {
    for (encrypts, tls) in [(Encrypts::Later, "starttls"), (Encrypts::AtOnce, "tls")] {
        let dir = tempfile::tempdir().unwrap();
        let server = MailServer::start(dir.path(), encrypts).await;
        // Another server's certificate.
        let config = config(&dir, &server, tls, true);
        MailServer::start(dir.path(), encrypts).await;
        let why = channels(&config).send("email", &message(), NOW).await.unwrap_err();
        assert!(!server.heard().contains("AUTH") && !why.text.contains("hunter2"), "{why:?}: {}", server.heard());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_starttls_is_not_offered_nothing_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let server = MailServer::start(dir.path(), Encrypts::Never).await;
    let why = channels(&config(&dir, &server, "starttls", true)).send("email", &message(), NOW).await.unwrap_err();
    assert!(why.text.contains("STARTTLS"), "{why:?}");
    assert!(!server.heard().contains("AUTH") && !server.heard().contains("MAIL"), "{}", server.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_in_the_own_network_may_be_spoken_to_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let server = MailServer::start(dir.path(), Encrypts::Never).await;
    let config = format!(
        "[alerts.email]\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"shop@example.com\"\nto = \
         [\"me@example.com\"]",
        server.address.port()
    );
    channels(&config).send("email", &message(), NOW).await.unwrap();
    assert!(server.heard().contains("RCPT TO:<me@example.com>"), "{}", server.heard());
}
