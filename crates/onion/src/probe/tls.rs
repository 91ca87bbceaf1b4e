//! Whether the other side speaks TLS at all. Its certificate is not looked at: targets of bridges
//! sign their own, and nothing is sent to them here. Not for any connection that carries data.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio_rustls::TlsConnector;

use crate::Connection;

/// What came of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// The other side speaks TLS. A refusal in TLS (an alert, an old version) counts as well.
    Tls,
    /// It answered with something that is no TLS.
    NotTls,
    /// The connection ended before anything was certain: a circuit that broke looks like that, too.
    Unfinished,
}

/// Offers a TLS handshake on `stream`. Waits for as long as the other side is silent.
pub(super) async fn shake_hands(stream: Connection, host: &str) -> Handshake {
    let (Some(config), Ok(name)) = (config(), ServerName::try_from(host.to_owned())) else {
        return Handshake::Unfinished;
    };
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(_) => Handshake::Tls,
        // An error that is not of TLS itself is one of the connection.
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::AlertReceived(_) | Error::PeerIncompatible(_)) => Handshake::Tls,
            Some(Error::InvalidMessage(_)) => Handshake::NotTls,
            _ => Handshake::Unfinished,
        },
    }
}

/// `None` would mean that ring lacks the default TLS versions.
fn config() -> Option<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate(provider.clone()));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Accepts any certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::ServerConfig;
    use tokio::io::AsyncWriteExt;
    use tokio_rustls::TlsAcceptor;

    #[tokio::test]
    async fn a_self_signed_certificate_is_fine() {
        let signed = rcgen::generate_simple_self_signed(["elsewhere.example".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        let (near, far) = tokio::io::duplex(16 << 10);
        let _served = tokio::spawn(async move { TlsAcceptor::from(Arc::new(server)).accept(far).await.is_ok() });
        assert_eq!(shake_hands(Box::new(near), "target.example").await, Handshake::Tls);
    }

    #[tokio::test]
    async fn an_alert_is_tls_plain_text_is_not_and_an_end_without_an_answer_says_nothing() {
        for (answer, expected) in [
            (b"\x15\x03\x03\x00\x02\x02\x28".as_slice(), Handshake::Tls),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), Handshake::NotTls),
            (b"SSH-2.0-OpenSSH_9.2\r\n".as_slice(), Handshake::NotTls),
            (b"\x16\x03\x03".as_slice(), Handshake::Unfinished),
            (b"".as_slice(), Handshake::Unfinished),
        ] {
            let (near, mut far) = tokio::io::duplex(16 << 10);
            far.write_all(answer).await.unwrap();
            far.shutdown().await.unwrap();
            assert_eq!(shake_hands(Box::new(near), "target.example").await, expected, "{answer:?}");
        }
    }
}
