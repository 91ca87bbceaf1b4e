//! `node add --detect`: lists the nodes of this machine and adds those that are agreed to. Looking is done with the rights of
//! whoever calls (root sees all); what the shop's user may not read is copied for it.

use std::fs;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde_json::{Value, json};

use super::super::credential::is_hidden;
use super::super::data::{DataArgs, create_data_dir};
use super::super::failure::Failure;
use super::super::output::Output;
use super::adding::{add, document};
use super::fields::NodeFields;
use super::find::{Found, Place, find};
use crate::config::Config;
use crate::domain::node::Node;
use crate::lightning::pasted;
use crate::services::file_permissions;
use crate::services::nodes::manage;

/// Larger files are no certificates or macaroons. Bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// A file's place and content, as whoever calls sees it.
type Seen = (PathBuf, Vec<u8>);

/// Lists what is there and adds what is agreed to: each that somebody at the terminal says yes to, or with `all_yes` all.
pub fn run(data: &DataArgs, all_yes: bool, output: &Output) -> Result<(), Failure> {
    let found = find(Path::new("/"));
    // Before this becomes the shop's user, who may see less.
    let seen: Vec<_> = found.iter().map(look).collect();
    let groups: Vec<_> = found.iter().map(group).collect();
    let config = data.load()?;
    create_data_dir(&config)?;
    let known = data.open_or_create()?.read(manage::list)?;
    let (mut added, mut lines) = (Vec::new(), Vec::new());
    for ((node, seen), group) in found.iter().zip(seen).zip(&groups) {
        let line = node.line();
        match seen {
            _ if node.is_among(&known) => lines.push(format!("{line}: it is among the shop's nodes already")),
            Err(problem) => lines.push(format!("{line}: {problem}")),
            Ok(seen) if all_yes || agrees(&line, output) => {
                let fields = fields(node, &config, seen)?;
                match add(data, node.kind(), false, fields, output) {
                    Ok((node, text)) => {
                        let hint = instead_of_copies(&node, &config, group.as_deref());
                        added.push(node);
                        lines.push(format!("{line}\n{text}{hint}"));
                    }
                    Err(failure) => {
                        lines.push(format!("{line}: not added: {}", failure.text(str::to_owned)));
                    }
                }
            }
            Ok(_) => lines.push(format!("{line}: not added (--yes adds it)")),
        }
    }
    if found.is_empty() {
        lines.push("No Lightning node was found on this machine: `node add --help` tells how to name one.".to_owned());
    }
    let listed: Vec<Value> = found.iter().zip(&groups).map(|(found, group)| found.document(group.as_deref())).collect();
    let added: Vec<Value> = added.iter().map(document).collect();
    output.result(&json!({"found": listed, "added": added}), &lines.join("\n"));
    Ok(())
}

/// Asks at the terminal; where there is none nobody agrees.
fn agrees(line: &str, output: &Output) -> bool {
    if output.is_json() || !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("{line}\nAdd it? [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// The flags of `node add`; its files (certificate, macaroon, that for details) where the service can read them, or
/// copies.
fn fields(found: &Found, config: &Config, seen: Vec<Seen>) -> Result<NodeFields, Failure> {
    let (host, port) = found.address();
    let files = match &found.place {
        Place::Cln { .. } => Vec::new(),
        Place::Lnd { network, port, .. } => {
            let folder = config.data_dir.join(format!("lnd-{network}-{port}"));
            seen.into_iter().map(|seen| readable(&folder, seen)).collect::<Result<_, _>>()?
        }
    };
    Ok(NodeFields::at(found.what, host, port, files))
}

/// What is in a node's files, to be looked at before this has fewer rights.
fn look(found: &Found) -> Result<Vec<Seen>, String> {
    let Place::Lnd { certificate, invoices, details, .. } = &found.place else { return Ok(Vec::new()) };
    let mut seen = vec![(certificate.clone(), read(certificate)?)];
    // A copy is made of nothing else that somebody has linked there.
    pasted::check_certificate(&seen[0].1).map_err(|problem| format!("{}: {problem}", certificate.display()))?;
    for file in std::iter::once(invoices).chain(details) {
        let content = read(file)?;
        pasted::macaroon(&content).map_err(|problem| format!("{}: {problem}", file.display()))?;
        seen.push((file.clone(), content));
    }
    Ok(seen)
}

/// The group that may read all of a node's files, when it is one that somebody can be added to without becoming root.
fn group(found: &Found) -> Option<String> {
    let Place::Lnd { certificate, invoices, details, .. } = &found.place else { return None };
    let ids = [Some(certificate), Some(invoices), details.as_ref()].into_iter().flatten().map(|file| {
        let about = fs::metadata(file).ok()?;
        (about.mode() & 0o040 != 0 && about.gid() != 0).then_some(about.gid())
    });
    let ids = ids.collect::<Option<Vec<_>>>()?;
    let first = ids[0];
    ids.iter().all(|id| *id == first).then(|| file_permissions::group_name(first)).flatten()
}

/// What makes copies needless where the service could see the files, were it in their group: copies grow old.
fn instead_of_copies(node: &Node, config: &Config, group: Option<&str>) -> String {
    let is_copy = node.certificate_file.as_deref().is_some_and(|file| Path::new(file).starts_with(&config.data_dir));
    match group.filter(|_| is_copy) {
        None => String::new(),
        Some(group) => format!(
            "\nIts files are copied. To read them where they are, also when the node renews them, join their group \
             (sudo usermod -aG {group} ip2tor-shop; sudo systemctl restart ip2tor-shop) and name them with `node set`."
        ),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let fits = fs::metadata(file).is_ok_and(|about| about.is_file() && about.len() <= MAX_BYTES);
    if !fits {
        return Err(format!("{} can't be read as you: run this with sudo", file.display()));
    }
    fs::read(file).map_err(|error| format!("{} can't be read ({error}): run this with sudo", file.display()))
}

/// The file itself where the shop's user and its service may read it, else a copy in the data folder.
fn readable(folder: &Path, (file, content): Seen) -> Result<PathBuf, Failure> {
    let real = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
    if !is_hidden(&file) && !is_hidden(&real) && access(&file, Access::READ_OK).is_ok() {
        return Ok(file);
    }
    let copy = folder.join(file.file_name().unwrap_or(file.as_os_str()));
    let write = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut to = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&copy)?;
        to.write_all(&content)
    };
    write()
        .map_err(|error| Failure::Failed(format!("can't copy {} to {}: {error}", file.display(), copy.display())))?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_can_not_see_is_copied_for_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("tls.cert"), "cert").unwrap();
        let (folder, seen) = (dir.path().join("copies"), |path: PathBuf| (path, b"cert".to_vec()));
        let there = dir.path().join("tls.cert");
        assert_eq!(readable(&folder, seen(there.clone())).unwrap(), there);
        let copy = readable(&folder, seen(PathBuf::from("/home/bitcoin/.lnd/tls.cert"))).unwrap();
        assert_eq!((copy.clone(), fs::read(&copy).unwrap()), (folder.join("tls.cert"), b"cert".to_vec()));
        readable(&folder, seen(PathBuf::from("/root/.lnd/tls.cert"))).unwrap();
    }

    #[test]
    fn nothing_is_read_that_is_no_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let certificate = dir.path().join("tls.cert");
        fs::write(&certificate, "root:x:0:0").unwrap();
        let invoices = dir.path().join("invoice.macaroon");
        let place = Place::Lnd { network: "mainnet", port: 1, certificate, invoices, details: None };
        let problem = look(&Found { what: "LND", place }).unwrap_err();
        assert!(problem.contains("tls.cert") && !problem.contains("root:x"), "{problem}");
    }
}
