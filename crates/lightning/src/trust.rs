//! Which certificate a node may show. A given certificate is pinned: exactly that one, as long as
//! it is valid, self-signed or not. Without one the system's roots decide. There is no third way.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::prelude::{GeneralName, X509Certificate};

use super::pasted;
use ip2tor_domain::clocks::Validity;
use ip2tor_domain::lightning::{Certificate, NodeError, NodeErrorKind};
use ip2tor_domain::time::Timestamp;

/// The TLS configuration that accepts exactly the certificates in `pem`, or, without, what the
/// system's roots vouch for. `alpn` is the protocol to speak.
///
/// # Errors
/// [`NodeErrorKind::BadCredentials`] when there is no certificate in `pem`, or no root on this system.
pub fn tls_config(pem: Option<&[u8]>, alpn: &[u8]) -> Result<ClientConfig, NodeError> {
    let mut config = match pem {
        Some(pem) => pinned_config(pem)?,
        None => rooted_config(system_roots()?),
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(config)
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring offers the default protocol versions")
}

fn rooted_config(roots: RootCertStore) -> ClientConfig {
    builder().with_root_certificates(roots).with_no_client_auth()
}

fn pinned_config(pem: &[u8]) -> Result<ClientConfig, NodeError> {
    let (pem, problem) = match pasted::certificate(pem) {
        Ok(pem) => (pem, String::new()),
        // What was given long ago is used as far as it goes.
        Err(problem) => (pem.to_vec(), problem),
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if certificates.is_empty() {
        return Err(bad(&format!("bad credentials: {problem}")));
    }
    let verifier = Pinned { certificates, provider: ring::default_provider() };
    Ok(builder().dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn system_roots() -> Result<RootCertStore, NodeError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(bad("bad credentials: this system has no root certificates (Debian: install \
                        ca-certificates) and the node has no certificate of its own configured"));
    }
    Ok(roots)
}

fn bad(detail: &str) -> NodeError {
    NodeError::new(NodeErrorKind::BadCredentials, detail)
}

/// Accepts the pinned certificates and nothing else; who shows one must also prove to hold its key.
#[derive(Debug)]
struct Pinned {
    certificates: Vec<CertificateDer<'static>>,
    provider: CryptoProvider,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.certificates.iter().any(|pinned| pinned.as_ref() == shown.as_ref()) {
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        check_validity(shown, now).map_err(Error::InvalidCertificate)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether `now` is within the certificate's validity.
fn check_validity(certificate: &CertificateDer<'_>, time: UnixTime) -> Result<(), CertificateError> {
    let validity = validity_of(certificate).ok_or(CertificateError::BadEncoding)?;
    let now = timestamp(time);
    // The end of validity is a second that still counts.
    if now.secs() > validity.until.secs() {
        return Err(CertificateError::ExpiredContext { time, not_after: unix_time(validity.until) });
    }
    if now < validity.from {
        return Err(CertificateError::NotValidYetContext { time, not_before: unix_time(validity.from) });
    }
    Ok(())
}

fn validity_of(certificate: &CertificateDer<'_>) -> Option<Validity> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(validity_in(&parsed))
}

fn validity_in(parsed: &X509Certificate<'_>) -> Validity {
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_secs(time.timestamp());
    Validity { from: at(parsed.validity().not_before), until: at(parsed.validity().not_after) }
}

/// What the first certificate in `pem` says.
pub fn read_certificate(pem: &[u8]) -> Option<Certificate> {
    let pem = pasted::certificate(pem).unwrap_or_else(|_| pem.to_vec());
    CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).find_map(|der| {
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).ok()?;
        Some(Certificate { names: names_in(&parsed), validity: validity_in(&parsed) })
    })
}

/// The host names and IP addresses that a certificate is for.
fn names_in(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    names.value.general_names.iter().filter_map(written).collect()
}

fn written(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = || <[u8; 4]>::try_from(*bytes).ok().map(IpAddr::from);
            let v6 = || <[u8; 16]>::try_from(*bytes).ok().map(IpAddr::from);
            v4().or_else(v6).map(|address| address.to_string())
        }
        _ => None,
    }
}

fn timestamp(time: UnixTime) -> Timestamp {
    Timestamp::from_secs(i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 1000))
}

fn unix_time(time: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(time.secs().try_into().unwrap_or(0)))
}

/// A certificate that is past its date, or before it: as often as not it is this machine's clock that is wrong.
fn outside_validity(node: &str, reason: &CertificateError) -> Option<NodeError> {
    let (time, what, is_wrong) = match reason {
        CertificateError::ExpiredContext { time, not_after } => {
            let what = format!("expired at {}", timestamp(*not_after));
            (
                *time,
                what,
                "renew it on the node (LND: delete tls.cert and tls.key, restart) and give the shop the new one",
            )
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let what = format!("is valid from {} only", timestamp(*not_before));
            (*time, what, "the node's clock was ahead when it made it: set that one and have the certificate made anew")
        }
        _ => return None,
    };
    let detail = format!(
        "expired certificate: by this machine's clock it is {}, and {node} shows a certificate that {what}. If that \
         time is wrong, set the clock (`timedatectl`); if it is right, {is_wrong}",
        timestamp(time)
    );
    Some(NodeError::new(NodeErrorKind::ExpiredCertificate, detail))
}

/// What a failed handshake means.
pub fn explain_handshake(error: &std::io::Error, node: &str) -> NodeError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    if let Some(Error::InvalidCertificate(reason)) = tls
        && let Some(explained) = outside_validity(node, reason)
    {
        return explained;
    }
    match tls {
        Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => NodeError::new(
            NodeErrorKind::WrongCertificate,
            format!(
                "wrong certificate: {node} shows another certificate than the one configured; copy the node's \
                     present tls.cert"
            ),
        ),
        // `Other` is what a self-signed one that may sign others (LND's) comes out as.
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))) => {
            NodeError::new(
                NodeErrorKind::WrongCertificate,
                format!(
                    "wrong certificate: {node} shows a certificate that no known authority has signed; give the \
                     node's own tls.cert with --certificate-file"
                ),
            )
        }
        Some(Error::InvalidCertificate(reason)) => NodeError::new(
            NodeErrorKind::WrongCertificate,
            format!(
                "wrong certificate: {node} shows a certificate that can't be trusted ({reason}); configure the \
                     node's own tls.cert"
            ),
        ),
        Some(other) => not_tls(node, &other.to_string()),
        None => not_tls(node, &error.to_string()),
    }
}

fn not_tls(node: &str, reason: &str) -> NodeError {
    let detail = format!("refused: no TLS with {node} ({reason}); is this the node's gRPC or REST port?");
    NodeError::new(NodeErrorKind::Refused, detail)
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    /// A handshake with a server that has a certificate for `node.example` from an authority whom
    /// the client trusts.
    async fn handshake_with_hosted_node(asked_for: &'static str) -> std::io::Result<()> {
        let params = authority(&[]);
        let authority_key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["node.example".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(params, &authority_key)).unwrap();
        handshake(authority.der(), leaf.der(), &key, asked_for).await
    }

    /// What a certificate needs to sign others, or itself as LND's does.
    fn authority(names: &[&str]) -> CertificateParams {
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("an authority"));
        params
    }

    /// A handshake of a client that trusts `root` alone with a server that shows `leaf`.
    async fn handshake(
        root: &CertificateDer<'static>,
        leaf: &CertificateDer<'static>,
        key: &KeyPair,
        asked_for: &'static str,
    ) -> std::io::Result<()> {
        let server = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let (near, far) = tokio::io::duplex(64 * 1024);
        let accepting = tokio::spawn(TlsAcceptor::from(Arc::new(server)).accept(far));
        let name = ServerName::try_from(asked_for).unwrap();
        let connected = TlsConnector::from(Arc::new(rooted_config(roots))).connect(name, near).await;
        drop(accepting);
        connected.map(drop)
    }

    #[test]
    fn a_certificate_says_for_which_names_it_is_and_how_long() {
        let mut params = authority(&["node.example", "192.0.2.7", "2001:db8::1"]);
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2019, 1, 2), rcgen::date_time_ymd(2020, 1, 2));
        let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        let read = read_certificate(pem.as_bytes()).unwrap();
        assert_eq!(read.names, ["node.example", "192.0.2.7", "2001:db8::1"]);
        assert_eq!((read.validity.from.secs(), read.validity.until.secs()), (1_546_387_200, 1_577_923_200));
        assert_eq!(read_certificate(b"x"), None);
    }

    #[tokio::test]
    async fn a_hosted_node_is_trusted_through_the_roots_under_its_own_name_only() {
        handshake_with_hosted_node("node.example").await.unwrap();
        let error = handshake_with_hosted_node("other.example").await.unwrap_err();
        assert_eq!(explain_handshake(&error, "other.example").kind, NodeErrorKind::WrongCertificate);
    }

    #[tokio::test]
    async fn who_gave_no_certificate_of_a_self_signed_node_is_told_to_give_it() {
        let (key, stranger) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = authority(&[]).self_signed(&stranger).unwrap();
        let as_lnd = authority(&["node.example"]).self_signed(&key).unwrap();
        let plain = CertificateParams::new(vec!["node.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        for own in [as_lnd, plain] {
            let error = handshake(root.der(), own.der(), &key, "node.example").await.unwrap_err();
            let error = explain_handshake(&error, "node.example:10009");
            assert_eq!(error.kind, NodeErrorKind::WrongCertificate);
            assert!(error.detail.ends_with("with --certificate-file"), "{error}");
        }
    }
}
