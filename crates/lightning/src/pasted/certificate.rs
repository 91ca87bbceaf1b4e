//! Certificates: PEM as nodes write it, or its content (DER) in binary or base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::extensions::KeyUsage;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::text::{base64, text};

/// Bytes of base64 in a line of PEM.
const LINE: usize = 64;

/// The PEM form of the certificates in `bytes`.
///
/// # Errors
/// What is wrong, for people.
pub fn certificate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let found = read(bytes)?;
    Ok(found.iter().flat_map(|der| pem(der)).collect())
}

/// As [`certificate`], for one that somebody gives: it must be one that a node can show. The certificate of an
/// authority never is: pinned, it would refuse the very node that it signed for.
///
/// # Errors
/// What is wrong, for people.
pub fn check_certificate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let found = read(bytes)?;
    if found.iter().all(|der| is_authority(der)) {
        return Err(
            "this is the certificate of an authority, which no node shows: give the node's own (tls.cert)".to_owned()
        );
    }
    Ok(found.iter().flat_map(|der| pem(der)).collect())
}

fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if is_certificate(bytes) {
        return Ok(vec![bytes.to_vec()]);
    }
    let no_certificate = "this is no certificate: it should begin with -----BEGIN CERTIFICATE-----";
    let text = text(bytes).ok_or(no_certificate)?.replace("\\r", "").replace("\\n", "\n");
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "there is a private key in it, which stays on the node: give the certificate alone (LND: tls.cert, \
                    not tls.key)"
                .to_owned(),
        );
    }
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        let der = base64(&text).filter(|der| is_certificate(der));
        return der.map(|der| vec![der]).ok_or_else(|| no_certificate.to_owned());
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let damaged = "the certificate is damaged or only a part of one: copy it again from the node";
    let found: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(lines.join("\n").as_bytes())
        .map(|read| read.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| damaged)?;
    let begun = text.matches("-----BEGIN CERTIFICATE-----").count();
    if found.len() < begun || !found.iter().all(|der| is_certificate(der)) {
        Err(damaged.to_owned())
    } else {
        Ok(found)
    }
}

fn is_certificate(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(rest, _)| rest.is_empty())
}

/// Whether it may sign others, and no host could show it: it names none, or its key is for signing certificates and not
/// for connections. (LND's own may sign others, names hosts, and says that its key is for connections too.)
fn is_authority(der: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    let names_none = certificate.subject_alternative_name().is_ok_and(|names| names.is_none());
    let is_for_connections = |usage: &KeyUsage| usage.digital_signature() || usage.key_encipherment();
    let usage = certificate.key_usage().ok().flatten();
    let signs_only = usage.is_some_and(|usage| !is_for_connections(usage.value));
    certificate.is_ca() && (names_none || signs_only)
}

/// When the node's own certificate in `bytes` ends, in Unix seconds.
pub fn expiry(bytes: &[u8]) -> Option<i64> {
    let found = read(bytes).ok()?;
    let own = found.iter().find(|der| !is_authority(der))?;
    let (_, certificate) = X509Certificate::from_der(own).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn pem(der: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(der);
    let mut pem = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    for line in encoded.as_bytes().chunks(LINE) {
        pem.extend(line);
        pem.push(b'\n');
    }
    pem.extend(b"-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose};

    use super::*;

    /// A certificate as LND makes it, which may sign others, and its key.
    fn own(names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap(), key)
    }

    /// One that names a host and may sign others, with a key for `usages`.
    fn signing(usages: &[KeyUsagePurpose]) -> String {
        let mut params = CertificateParams::new(vec!["node.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = usages.to_vec();
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn an_authority_that_names_a_host_is_none_that_a_node_shows_and_lnds_own_is() {
        use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};
        let (authority, nameless) = (signing(&[KeyCertSign, CrlSign]), own(&[]).0.pem());
        for pem in [authority.clone(), format!("{authority}{nameless}"), format!("{nameless}{authority}")] {
            let message = check_certificate(pem.as_bytes()).unwrap_err();
            assert!(message.contains("of an authority"), "{message}");
        }
        for usages in [&[KeyEncipherment, DigitalSignature, KeyCertSign][..], &[DigitalSignature, KeyCertSign], &[]] {
            assert!(check_certificate(signing(usages).as_bytes()).is_ok(), "{usages:?}");
        }
    }

    #[test]
    fn the_end_of_the_nodes_own_certificate_is_known() {
        let mut params = CertificateParams::new(vec!["node.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2020, 1, 2);
        let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        assert_eq!(expiry(format!("{}{pem}", own(&[]).0.pem()).as_bytes()), Some(1_577_923_200));
        assert_eq!(expiry(b"x"), None);
    }

    #[test]
    fn a_certificate_is_understood_in_every_form_that_people_paste() {
        let (certificate, _) = own(&["node.example"]);
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        let wanted = super::certificate(pem.as_bytes()).unwrap();
        let forms = [
            der.clone(),
            STANDARD.encode(&der).into_bytes(),
            format!("\u{feff}{pem}").into_bytes(),
            pem.replace('\n', "\r\n").into_bytes(),
            format!("\"{}\"", pem.trim().replace("\r\n", "\n").replace('\n', "\\n")).into_bytes(),
            pem.lines().map(|line| format!("    {line}\n")).collect::<String>().into_bytes(),
            [vec![0xff, 0xfe], pem.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
            format!("subject=CN = node\n{pem}").into_bytes(),
        ];
        for form in forms {
            let shown = String::from_utf8_lossy(&form).into_owned();
            assert_eq!(check_certificate(&form).unwrap(), wanted, "{shown}");
        }
    }

    #[test]
    fn an_authority_a_key_and_damage_are_refused_with_the_reason() {
        let (certificate, key) = own(&["node.example"]);
        let (authority, _) = own(&[]);
        let pem = certificate.pem();
        let (cut, half) = (&pem[..pem.len() / 2], pem.replacen('M', "N", 1));
        for (text, says) in [
            (authority.pem(), "of an authority"),
            (key.serialize_pem(), "private key"),
            (format!("{pem}{}", key.serialize_pem()), "private key"),
            (cut.to_owned(), "damaged"),
            (half, "damaged"),
            (format!("{pem}{cut}"), "damaged"),
            ("0201036c6e64".to_owned(), "no certificate"),
            (String::new(), "no certificate"),
        ] {
            let message = check_certificate(text.as_bytes()).unwrap_err();
            assert!(message.contains(says), "{says}: {message}");
        }
        // With the node's own beside it, as a chain, it does no harm.
        assert!(check_certificate(format!("{pem}{}", authority.pem()).as_bytes()).is_ok());
    }
}
