//! `node add --detect`: Lightning nodes of this machine, found by where the usual installations keep their files. Looking
//! is done with the rights of whoever calls (root sees all); what the shop's user may not read is copied for it.

use std::fs;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde_json::{Value, json};

use super::super::data::{DataArgs, create_data_dir};
use super::super::failure::Failure;
use super::super::output::Output;
use super::fields::NodeFields;
use super::{add_one, document};
use crate::config::Config;
use crate::domain::node::{Node, NodeKind};
use crate::lightning::pasted;
use crate::services::nodes::manage;

/// Where an LND keeps its files, by who installs it so. `*` is any one folder.
const LND: [(&str, &str); 9] = [
    ("RaspiBlitz", "mnt/hdd/lnd"),
    ("RaspiBlitz", "mnt/hdd/app-data/lnd"),
    ("RaspiBolt", "data/lnd"),
    ("Umbrel", "home/umbrel/umbrel/app-data/lightning/data/lnd"),
    ("Umbrel", "home/*/umbrel/app-data/lightning/data/lnd"),
    ("myNode", "mnt/hdd/mynode/lnd"),
    ("LND", "var/lib/lnd"),
    ("LND", "home/*/.lnd"),
    ("LND", "root/.lnd"),
];
/// Where a Core Lightning has its socket.
const CLN: [(&str, &str); 7] = [
    ("Core Lightning", "run/lightningd-shop/lightning-rpc"),
    ("RaspiBlitz", "mnt/hdd/app-data/.lightning/bitcoin/lightning-rpc"),
    ("Umbrel", "home/*/umbrel/app-data/core-lightning/data/lightningd/bitcoin/lightning-rpc"),
    ("Core Lightning", "var/lib/lightningd/bitcoin/lightning-rpc"),
    ("Core Lightning", "home/*/.lightning/bitcoin/lightning-rpc"),
    ("Core Lightning", "data/lightningd/bitcoin/lightning-rpc"),
    ("Core Lightning", "root/.lightning/bitcoin/lightning-rpc"),
];
/// LND keeps a folder of macaroons for each.
const NETWORKS: [&str; 4] = ["mainnet", "testnet", "signet", "regtest"];
/// What the packaged service does not see of the machine (`ProtectHome=` in its unit).
const HIDDEN: [&str; 3] = ["/home", "/root", "/run/user"];
/// Larger files are no certificates or macaroons. Bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// A node that was found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// Who installs it so.
    what: &'static str,
    place: Place,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Lnd { network: &'static str, port: u16, certificate: PathBuf, invoices: PathBuf, details: Option<PathBuf> },
    Cln { socket: PathBuf },
}

/// A file's place and content, as whoever calls sees it.
type Seen = (PathBuf, Vec<u8>);

/// Lists what is there and adds what is agreed to: each that somebody at the terminal says yes to, or with `all_yes` all.
pub fn run(data: &DataArgs, all_yes: bool, output: &Output) -> Result<(), Failure> {
    let found = find(Path::new("/"));
    // Before this becomes the shop's user, who may see less.
    let seen: Vec<_> = found.iter().map(look).collect();
    let config = data.load()?;
    create_data_dir(&config)?;
    let known = data.open_or_create()?.read(manage::list)?;
    let (mut added, mut lines) = (Vec::new(), Vec::new());
    for (node, seen) in found.iter().zip(seen) {
        let line = node.line();
        match seen {
            _ if node.is_among(&known) => lines.push(format!("{line}: it is among the shop's nodes already")),
            Err(problem) => lines.push(format!("{line}: {problem}")),
            Ok(seen) if all_yes || agrees(&line, output) => {
                let fields = node.fields(&config, seen)?;
                match add_one(data, node.kind(), false, fields, output) {
                    Ok((node, text)) => {
                        added.push(node);
                        lines.push(format!("{line}\n{text}"));
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
    let listed: Vec<Value> = found.iter().map(Found::document).collect();
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

impl Found {
    const fn kind(&self) -> NodeKind {
        match self.place {
            Place::Lnd { .. } => NodeKind::LndGrpc,
            Place::Cln { .. } => NodeKind::Cln,
        }
    }

    fn line(&self) -> String {
        match &self.place {
            Place::Lnd { network, port, certificate, .. } => {
                let folder = certificate.parent().unwrap_or(certificate).display();
                format!("{} on {network} (LND in {folder}, port {port})", self.what)
            }
            Place::Cln { socket } => format!("{} (Core Lightning, {})", self.what, socket.display()),
        }
    }

    fn document(&self) -> Value {
        let (host, port) = self.address();
        json!({"what": self.what, "kind": self.kind().name(), "host": host, "port": port, "text": self.line()})
    }

    fn address(&self) -> (String, Option<u16>) {
        match &self.place {
            Place::Lnd { port, .. } => ("127.0.0.1".to_owned(), Some(*port)),
            Place::Cln { socket } => (socket.display().to_string(), None),
        }
    }

    fn is_among(&self, known: &[Node]) -> bool {
        let (host, port) = self.address();
        let is_it = |node: &&Node| node.host == host && port.is_none_or(|port| i64::from(node.port) == i64::from(port));
        known.iter().find(is_it).is_some()
    }

    /// The flags of `node add`; its files (certificate, macaroon, that for details) where the service can read them, or
    /// copies.
    fn fields(&self, config: &Config, seen: Vec<Seen>) -> Result<NodeFields, Failure> {
        let (host, port) = self.address();
        let files = match &self.place {
            Place::Cln { .. } => Vec::new(),
            Place::Lnd { network, port, .. } => {
                let folder = config.data_dir.join(format!("lnd-{network}-{port}"));
                seen.into_iter().map(|seen| readable(&folder, seen)).collect::<Result<_, _>>()?
            }
        };
        Ok(NodeFields::at(self.what, host, port, files))
    }
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
    let is_hidden = |path: &Path| HIDDEN.iter().any(|hidden| path.starts_with(hidden));
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

/// All nodes in the usual places below `root`, each once.
fn find(root: &Path) -> Vec<Found> {
    let mut known = Vec::new();
    let mut is_new = |path: &Path| {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_new = !known.contains(&real);
        known.push(real);
        is_new
    };
    let mut found = Vec::new();
    for (what, folder) in LND.iter().flat_map(|(what, pattern)| matching(root, pattern).map(move |path| (*what, path)))
    {
        if is_new(&folder) {
            found.extend(lnd_in(&folder).into_iter().map(|place| Found { what, place }));
        }
    }
    for (what, socket) in CLN.iter().flat_map(|(what, pattern)| matching(root, pattern).map(move |path| (*what, path)))
    {
        let is_socket = fs::metadata(&socket).is_ok_and(|about| about.file_type().is_socket());
        if is_socket && is_new(&socket) {
            found.push(Found { what, place: Place::Cln { socket } });
        }
    }
    found
}

/// What is at a place with at most one `*` in it.
fn matching(root: &Path, pattern: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let paths = match pattern.split_once('*') {
        None => vec![root.join(pattern)],
        Some((above, below)) => {
            let entries = fs::read_dir(root.join(above)).into_iter().flatten().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.path().join(below.trim_start_matches('/'))).collect();
            paths.sort();
            paths
        }
    };
    // What may not be seen is there: reading it says what is wrong.
    paths.into_iter().filter(|path| path.try_exists().unwrap_or(true))
}

/// The networks for which an LND keeps its macaroons in a folder.
fn lnd_in(folder: &Path) -> Vec<Place> {
    let networks = NETWORKS.into_iter().filter_map(|network| {
        let macaroons = folder.join("data/chain/bitcoin").join(network);
        let invoices = macaroons.join("invoice.macaroon");
        if !invoices.try_exists().unwrap_or(true) {
            return None;
        }
        let details = Some(macaroons.join("readonly.macaroon")).filter(|file| file.exists());
        Some(Place::Lnd { network, port: grpc_port(folder), certificate: folder.join("tls.cert"), invoices, details })
    });
    let mut places: Vec<_> = networks.collect();
    // A folder that may not be looked into would be all of them.
    if places.len() == NETWORKS.len() {
        places.truncate(1);
    }
    places
}

/// `rpclisten` of its configuration, or what LND takes without.
fn grpc_port(folder: &Path) -> u16 {
    let text = fs::read_to_string(folder.join("lnd.conf")).unwrap_or_default();
    let values = text.lines().filter_map(|line| line.trim().strip_prefix("rpclisten")?.trim_start().strip_prefix('='));
    let mut ports = values.filter_map(|value| value.trim().rsplit_once(':')?.1.parse().ok());
    ports.next().unwrap_or(10_009)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn file(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn nodes_are_found_where_the_usual_installations_keep_them_and_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(find(root), []);
        for (path, content) in [
            ("mnt/hdd/lnd/tls.cert", "c"),
            ("mnt/hdd/lnd/lnd.conf", "alias=a\n rpclisten = 0.0.0.0:10011\nrpclisten=b:1\n"),
            ("mnt/hdd/lnd/data/chain/bitcoin/mainnet/invoice.macaroon", "m"),
            ("mnt/hdd/lnd/data/chain/bitcoin/mainnet/readonly.macaroon", "r"),
            ("home/umbrel/umbrel/app-data/lightning/data/lnd/tls.cert", "c"),
            ("home/umbrel/umbrel/app-data/lightning/data/lnd/data/chain/bitcoin/testnet/invoice.macaroon", "m"),
        ] {
            file(root, path, content);
        }
        fs::create_dir_all(root.join("home/bitcoin")).unwrap();
        std::os::unix::fs::symlink(root.join("mnt/hdd/lnd"), root.join("home/bitcoin/.lnd")).unwrap();
        let socket = root.join("run/lightningd-shop/lightning-rpc");
        fs::create_dir_all(socket.parent().unwrap()).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        let found = find(root);
        let names: Vec<_> = found.iter().map(|found| (found.what, found.address().1)).collect();
        assert_eq!(names, [("RaspiBlitz", Some(10_011)), ("Umbrel", Some(10_009)), ("Core Lightning", None)]);
        let problem = look(&found[0]).unwrap_err();
        assert!(problem.contains("mnt/hdd/lnd/tls.cert"), "nothing else is copied: {problem}");
    }

    #[test]
    fn what_the_service_can_not_see_is_copied_for_it() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path(), "tls.cert", "cert");
        let (folder, seen) = (dir.path().join("copies"), |path: PathBuf| (path, b"cert".to_vec()));
        let there = dir.path().join("tls.cert");
        assert_eq!(readable(&folder, seen(there.clone())).unwrap(), there);
        let copy = readable(&folder, seen(PathBuf::from("/home/bitcoin/.lnd/tls.cert"))).unwrap();
        assert_eq!((copy.clone(), fs::read(&copy).unwrap()), (folder.join("tls.cert"), b"cert".to_vec()));
        readable(&folder, seen(PathBuf::from("/root/.lnd/tls.cert"))).unwrap();
    }
}
