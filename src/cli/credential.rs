//! The files with a node's certificate and macaroons, as they are given on the command line: what is in them is looked
//! at there, and not when the shop first needs it.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::domain::time::Timestamp;
use crate::lightning::pasted;
use crate::services::nodes::manage::NodeChange;
use crate::store::db::is_file_of;

/// Larger files are no certificates or macaroons. Bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// What the packaged service does not see of the machine (`ProtectHome=` in its unit).
const HIDDEN: [&str; 3] = ["/home", "/root", "/run/user"];
/// The packaged service.
const UNIT: &str = "/usr/lib/systemd/system/ip2tor-shop.service";

/// What a file of a node is to be.
#[derive(Clone, Copy)]
pub enum Kind {
    /// `tls.cert`, in any form.
    Certificate,
    /// A macaroon, in any form.
    Macaroon,
}

/// The file as the database keeps it (a full path), or its content; only if it is what it is to be.
pub fn credential(
    database: &Path,
    field: &'static str,
    file: Option<PathBuf>,
    kind: Kind,
    store: bool,
) -> Result<(Option<String>, Option<Vec<u8>>), Failure> {
    let Some(file) = file else { return Ok((None, None)) };
    let refuse =
        |problem: String| Failure::Invalid(vec![(field, vec![format!("{}: {problem}", file.display()).into()])]);
    let about = std::fs::metadata(&file).map_err(|error| unreadable(&file, &error))?;
    if !about.is_file() || about.len() > MAX_BYTES || is_file_of(database, &file) {
        return Err(refuse("this is not such a file".to_owned()));
    }
    let content = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
    let content = match kind {
        Kind::Certificate => pasted::check_certificate(&content).map_err(refuse)?,
        Kind::Macaroon => pasted::macaroon(&content).map_err(|error| refuse(error.to_string()))?,
    };
    if store {
        return Ok((None, Some(content)));
    }
    let path = std::path::absolute(&file).map_err(|error| unreadable(&file, &error))?;
    Ok((Some(path.display().to_string()), None))
}

/// Whether the packaged service does not see this file, though a command does.
pub fn is_hidden(file: &Path) -> bool {
    HIDDEN.iter().any(|hidden| file.starts_with(hidden))
}

/// What to say of files that the service of this machine does not see.
pub fn hidden(change: &NodeChange) -> Option<String> {
    hidden_from(Path::new(UNIT), change)
}

fn hidden_from(unit: &Path, change: &NodeChange) -> Option<String> {
    let files = [&change.certificate_file, &change.macaroon_file, &change.details_macaroon_file];
    let file = files.into_iter().flatten().find(|file| is_hidden(Path::new(file)))?;
    unit.exists().then(|| {
        format!(
            "the service does not see {file}: its unit closes home folders to it. Give it a copy in its data folder, or \
             show it the file (node-in-home.conf in /usr/share/doc/ip2tor-shop/examples)"
        )
    })
}

/// What to say of a certificate that has ended by `now`: no connection is made with it.
pub fn expired(change: &NodeChange, now: Timestamp) -> Option<String> {
    let stored = change.certificate.clone();
    let content = stored.or_else(|| std::fs::read(change.certificate_file.as_ref()?).ok())?;
    let end = Timestamp::from_secs(pasted::expiry(&content)?);
    (end <= now).then(|| {
        let end = end.to_wire();
        format!("the certificate has ended on {end}, and the node can't be used with it: let the node make a new one")
    })
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "; the shop's user must be able to read it: add the user to the file's group, or give it a copy of its own"
        }
        _ => "",
    };
    Failure::Failed(format!("can't read {}: {error}{hint}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lightning::macaroon::Macaroon;
    use crate::store::Db;
    use crate::store::db::tests::locks_on;

    #[test]
    fn a_file_that_the_service_does_not_see_is_told_where_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let of = |file: &str| NodeChange { macaroon_file: Some(file.to_owned()), ..NodeChange::default() };
        let in_home = of("/home/bitcoin/.lnd/invoice.macaroon");
        assert!(hidden_from(dir.path(), &in_home).unwrap().contains("/home/bitcoin/.lnd/invoice.macaroon"));
        assert_eq!(hidden_from(dir.path(), &of("/homes/macaroon")), None);
        assert_eq!(hidden_from(&dir.path().join("no unit"), &in_home), None);
    }

    #[test]
    fn a_credential_is_stored_in_its_one_form_and_what_is_none_is_refused_with_its_field() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("shop.sqlite3");
        drop(Db::open(&database).unwrap());
        let file = dir.path().join("file");
        let binary = Macaroon::mint(b"root", b"0", [7; 16], &[("invoices", "write")]).encode();
        std::fs::write(&file, format!("\u{feff}\"{}\"\r\n", hex::encode(&binary).to_uppercase())).unwrap();
        let get = |file: &Path, kind, store| credential(&database, "macaroon_file", Some(file.to_owned()), kind, store);
        assert_eq!(get(&file, Kind::Macaroon, true).unwrap(), (None, Some(binary)));
        assert_eq!(get(&file, Kind::Macaroon, false).unwrap(), (Some(file.display().to_string()), None));
        for (file, kind) in
            [(&file, Kind::Certificate), (&database, Kind::Macaroon), (&dir.path().to_owned(), Kind::Macaroon)]
        {
            let Err(Failure::Invalid(fields)) = get(file, kind, false) else { panic!("{}", file.display()) };
            assert_eq!(fields[0].0, "macaroon_file");
        }
    }

    #[test]
    fn a_database_in_use_is_not_opened_as_a_credential() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("shop.sqlite3");
        let _db = Db::open(&database).unwrap();
        let held = locks_on(&database);
        assert!(held > 0);
        assert!(credential(&database, "macaroon_file", Some(database.clone()), Kind::Macaroon, false).is_err());
        assert_eq!(locks_on(&database), held);
    }
}
