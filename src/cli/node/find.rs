//! Lightning nodes of this machine, found by where the usual installations keep their files.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::domain::node::{Node, NodeKind};

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

/// A node that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Who installs it so.
    pub what: &'static str,
    /// Where it is.
    pub place: Place,
}

/// Where a node is, and its files.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    Lnd { network: &'static str, port: u16, certificate: PathBuf, invoices: PathBuf, details: Option<PathBuf> },
    Cln { socket: PathBuf },
}

impl Found {
    /// How it is spoken to.
    pub const fn kind(&self) -> NodeKind {
        match self.place {
            Place::Lnd { .. } => NodeKind::LndGrpc,
            Place::Cln { .. } => NodeKind::Cln,
        }
    }

    /// What people read of it.
    pub fn line(&self) -> String {
        match &self.place {
            Place::Lnd { network, port, certificate, .. } => {
                let folder = certificate.parent().unwrap_or(certificate).display();
                format!("{} on {network} (LND in {folder}, port {port})", self.what)
            }
            Place::Cln { socket } => format!("{} (Core Lightning, {})", self.what, socket.display()),
        }
    }

    /// What scripts read of it; with the group that may read its files.
    pub fn document(&self, group: Option<&str>) -> Value {
        let (host, port) = self.address();
        json!({
            "what": self.what, "kind": self.kind().name(), "host": host, "port": port, "text": self.line(),
            "group": group,
        })
    }

    /// Its host and port, or its socket.
    pub fn address(&self) -> (String, Option<u16>) {
        match &self.place {
            Place::Lnd { port, .. } => ("127.0.0.1".to_owned(), Some(*port)),
            Place::Cln { socket } => (socket.display().to_string(), None),
        }
    }

    /// Whether the shop has it already.
    pub fn is_among(&self, known: &[Node]) -> bool {
        let (host, port) = self.address();
        let is_it = |node: &&Node| node.host == host && port.is_none_or(|port| i64::from(node.port) == i64::from(port));
        known.iter().find(is_it).is_some()
    }
}

/// All nodes in the usual places below `root`, each once.
pub fn find(root: &Path) -> Vec<Found> {
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
    }
}
