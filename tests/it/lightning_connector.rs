//! The connection to a node: which certificates are accepted, and what each failure is called.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ip2tor_shop::domain::lightning::{NodeError, NodeErrorKind};
use ip2tor_shop::lightning::connector::{Connector, NodeAddress};
use ip2tor_shop::lightning::credentials::Source;
use ip2tor_shop::lightning::dial::Dial;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A certificate with its key, self-signed.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// As `openssl req -x509 -subj /CN=…` makes it: a name, no alternative names.
    fn valid_in(years: std::ops::Range<i32>) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "lightning.example");
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key }
    }

    fn valid() -> Self {
        Self::valid_in(2020..4000)
    }

    fn pem(&self) -> Source {
        Source::Memory(self.certificate.pem().into_bytes())
    }
}

/// A TLS server that shows `shown` and signs with `key`; greets and hangs up.
async fn serve(shown: &Identity, key: &KeyPair) -> NodeAddress {
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = ring::sign::any_supported_type(&der).unwrap();
    let certified = CertifiedKey::new(vec![shown.certificate.der().clone()], signing);
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                tls.write_all(b"hello").await.ok();
                tls.shutdown().await.ok();
            }
        }
    })
    .await
}

async fn listen<F>(handle: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> NodeAddress
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    NodeAddress { host: "127.0.0.1".to_owned(), port }
}

fn connector(address: NodeAddress, certificate: Option<Source>, dial: Dial) -> Connector {
    Connector::new(address, certificate, dial, b"h2", Duration::from_secs(60))
}

async fn connect(address: NodeAddress, certificate: Option<Source>) -> Result<(), NodeError> {
    let mut stream = connector(address, certificate, Dial::direct()).connect().await?;
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting).await.unwrap();
    assert_eq!(greeting, "hello");
    Ok(())
}

#[tokio::test]
async fn a_pinned_self_signed_certificate_is_accepted_whatever_its_name() {
    let node = Identity::valid();
    let address = serve(&node, &node.key).await;
    connect(address, Some(node.pem())).await.unwrap();
}

#[tokio::test]
async fn any_other_certificate_is_wrong() {
    let node = Identity::valid();
    let address = serve(&node, &node.key).await;
    let error = connect(address, Some(Identity::valid().pem())).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::WrongCertificate);
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_wrong() {
    let node = Identity::valid();
    let address = serve(&node, &Identity::valid().key).await;
    assert_eq!(connect(address, Some(node.pem())).await.unwrap_err().kind, NodeErrorKind::WrongCertificate);
}

#[tokio::test]
async fn the_pinned_certificate_is_refused_once_it_has_expired() {
    let node = Identity::valid_in(2020..2021);
    let address = serve(&node, &node.key).await;
    let error = connect(address, Some(node.pem())).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::ExpiredCertificate);
    assert!(error.detail.starts_with("expired certificate:") && !error.detail.contains('\n'), "{error}");
    let (this_machine, certificate) = (error.detail.find("this machine's clock"), error.detail.find("2021-01-01"));
    assert!(this_machine.is_some() && this_machine < certificate, "this machine's time is said first: {error}");
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_says_this_machines_time_first() {
    let node = Identity::valid_in(3000..4000);
    let address = serve(&node, &node.key).await;
    let error = connect(address, Some(node.pem())).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::ExpiredCertificate);
    let (this_machine, certificate) = (error.detail.find("this machine's clock"), error.detail.find("3000-01-01"));
    assert!(this_machine.is_some() && this_machine < certificate && error.detail.contains("timedatectl"), "{error}");
}

#[tokio::test]
async fn without_a_certificate_a_self_signed_one_is_never_trusted() {
    let node = Identity::valid();
    let address = serve(&node, &node.key).await;
    let kind = connect(address, None).await.unwrap_err().kind;
    // A system without any roots can't trust anything either.
    assert!(matches!(kind, NodeErrorKind::WrongCertificate | NodeErrorKind::BadCredentials), "{kind:?}");
}

#[tokio::test]
async fn a_certificate_renewed_while_connecting_is_read_again() {
    let (old, new) = (Identity::valid(), Identity::valid());
    let address = serve(&new, &new.key).await;
    let dir = tempfile::tempdir().unwrap();
    let file: PathBuf = dir.path().join("tls.cert");
    std::fs::write(&file, old.certificate.pem()).unwrap();
    let (renewed, target) = (new.certificate.pem(), file.clone());
    let dial = Dial::new(move |host, port| {
        std::fs::write(&target, &renewed).unwrap();
        Box::pin(async move { Dial::direct().open(&host, port).await })
    });
    connector(address, Some(Source::File(file)), dial).connect().await.unwrap();
}

#[tokio::test]
async fn a_closed_port_is_refused_and_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let address = NodeAddress { host: "127.0.0.1".to_owned(), port };
    let error = connect(address, Some(Identity::valid().pem())).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::Refused);
    assert!(error.detail.contains("nothing listens"), "{error}");
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_refused() {
    let address = listen(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok();
    })
    .await;
    assert_eq!(connect(address, Some(Identity::valid().pem())).await.unwrap_err().kind, NodeErrorKind::Refused);
}

#[tokio::test]
async fn a_machine_that_says_nothing_is_a_time_out_before_anything_was_sent() {
    let address = listen(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let certificate = Some(Identity::valid().pem());
    let connector = Connector::new(address, certificate, Dial::direct(), b"h2", Duration::from_millis(100));
    let error = connector.connect().await.err().unwrap();
    assert_eq!(error.kind, NodeErrorKind::ConnectTimedOut);
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_certificate_that_is_not_pem_is_a_matter_of_credentials() {
    let node = Identity::valid();
    let address = serve(&node, &node.key).await;
    let error = connect(address, Some(Source::Memory(b"not a certificate".to_vec()))).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::BadCredentials);
}

#[test]
fn a_node_at_an_ipv6_address_is_reached_and_named_with_brackets() {
    let address = NodeAddress { host: "2001:db8::1".to_owned(), port: 10_009 };
    assert_eq!(address.to_string(), "[2001:db8::1]:10009");
}
