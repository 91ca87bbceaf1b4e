//! Whether the other side speaks TLS at all. Its certificate is not looked at: targets of bridges
//! sign their own, and nothing is sent to them here. Not for any connection that carries data.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio_rustls::TlsConnector;

use crate::onion::Connection;

/// Offers a TLS handshake on `stream`. A refusal in TLS (an alert, an old version) counts as TLS.
pub(super) async fn speaks_tls(stream: Connection, host: &str) -> bool {
    let (Some(config), Ok(name)) = (config(), ServerName::try_from(host.to_owned())) else { return false };
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(_) => true,
        Err(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Error>())
            .is_some_and(|error| matches!(error, Error::AlertReceived(_) | Error::PeerIncompatible(_))),
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
        assert!(speaks_tls(Box::new(near), "target.example").await);
    }

    #[tokio::test]
    async fn an_alert_is_tls_and_plain_text_is_not() {
        for (answer, expected) in [
            (b"\x15\x03\x03\x00\x02\x02\x28".as_slice(), true),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), false),
            (b"".as_slice(), false),
        ] {
            let (near, mut far) = tokio::io::duplex(16 << 10);
            far.write_all(answer).await.unwrap();
            far.shutdown().await.unwrap();
            assert_eq!(speaks_tls(Box::new(near), "target.example").await, expected, "{answer:?}");
        }
    }
}
