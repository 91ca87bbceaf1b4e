//! Where a node's certificate and macaroon come from: files, which the node may renew at any time,
//! or the database. What they contain is never shown.

use std::fmt;
use std::path::PathBuf;

use ip2tor_domain::lightning::{NodeError, NodeErrorKind};

/// Largest certificate or macaroon file that is read; real ones have one or two kilobytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Where the bytes of a credential are.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, read anew for each connection and after each refusal.
    File(PathBuf),
    /// The bytes themselves, as stored in the database.
    Memory(Vec<u8>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Memory(_) => f.write_str("Memory(hidden)"),
        }
    }
}

impl Source {
    /// The bytes. `what` names the credential in the error: `certificate`, `macaroon`.
    ///
    /// # Errors
    /// [`NodeErrorKind::BadCredentials`] when the file can't be read, is empty or absurdly large.
    pub async fn read(&self, what: &str) -> Result<Vec<u8>, NodeError> {
        let bytes = match self {
            Self::Memory(bytes) => bytes.clone(),
            Self::File(path) => {
                let problem = |reason: String| {
                    let detail = format!("bad credentials: the {what} file {}: {reason}", path.display());
                    NodeError::new(NodeErrorKind::BadCredentials, detail)
                };
                let about = tokio::fs::metadata(path).await.map_err(|error| problem(error.to_string()))?;
                if !about.is_file() {
                    // What comes out of a pipe would be waited for, for ever.
                    return Err(problem("it is no regular file".to_owned()));
                }
                let size = about.len();
                if size > MAX_FILE_BYTES {
                    return Err(problem(format!("{size} bytes are no {what}")));
                }
                tokio::fs::read(path).await.map_err(|error| problem(error.to_string()))?
            }
        };
        if bytes.is_empty() {
            let detail = format!("bad credentials: the {what} is empty");
            return Err(NodeError::new(NodeErrorKind::BadCredentials, detail));
        }
        Ok(bytes)
    }
}

/// What the shop needs to speak to an LND that makes its invoices. A macaroon that pays has its own
/// type, [`super::paying::PaymentCredentials`].
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The node's certificate (PEM), pinned; `None` trusts the system's roots (hosted nodes).
    pub certificate: Option<Source>,
    /// The macaroon for invoices (binary, hex or base64).
    pub macaroon: Source,
    /// An optional read-only macaroon: lets a node with the stock invoice macaroon tell its name,
    /// height and the like.
    pub details_macaroon: Option<Source>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_what_a_source_holds() {
        let credentials = Credentials {
            certificate: Some(Source::File("/etc/lnd/tls.cert".into())),
            macaroon: Source::Memory(b"secret-bytes".to_vec()),
            details_macaroon: None,
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("tls.cert"));
        assert!(!shown.contains("115") && !shown.contains("secret"), "{shown}");
    }

    #[tokio::test]
    async fn a_missing_or_empty_file_is_reported_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("invoice.macaroon");
        let error = Source::File(path.clone()).read("macaroon").await.unwrap_err();
        assert_eq!(error.kind, NodeErrorKind::BadCredentials);
        assert!(error.detail.contains("invoice.macaroon"), "{error}");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(Source::File(path).read("macaroon").await.unwrap_err().kind, NodeErrorKind::BadCredentials);
    }

    #[tokio::test]
    async fn a_pipe_in_place_of_a_file_is_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let error = Source::File(path).read("macaroon").await.unwrap_err();
        assert!(error.detail.contains("no regular file"), "{error}");
    }
}
