//! In which order a restore reaches the disk, shown by the system calls of the real command: a kill of it can't show that,
//! since the kernel keeps what was written, and a power failure does not. Skipped, loudly, where `strace` is missing or
//! not permitted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::live::process::{BIN, run_json};
use crate::live::strace::Strace;

const CALLS: &str =
    "trace=openat,mkdir,mkdirat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";
/// How the names of what lies ready end.
const READY: &str = ".restoring";
const MARK: &str = "restore.pending";

/// What a call does to a file or a folder.
#[derive(Debug)]
enum Event {
    /// It is there from now on.
    Made(PathBuf),
    Written(PathBuf),
    Synced(PathBuf),
    Gone(PathBuf),
    Renamed(PathBuf, PathBuf),
}

/// The file of the descriptor at the beginning of the arguments, or of what was opened.
fn descriptor(text: &str) -> Option<PathBuf> {
    Some(text.split_once('<')?.1.split_once('>')?.0.into())
}

fn quoted(text: &str) -> Vec<PathBuf> {
    text.split('"').skip(1).step_by(2).map(PathBuf::from).collect()
}

fn event(line: &str) -> Option<Event> {
    let (_, call) = line.trim_start().split_once(' ')?;
    let (name, arguments) = call.trim_start().split_once('(')?;
    if arguments.contains(" = -1 ") {
        return None;
    }
    match name {
        "openat" if arguments.contains("O_CREAT") => Some(Event::Made(quoted(arguments).first()?.clone())),
        "mkdir" | "mkdirat" => Some(Event::Made(quoted(arguments).first()?.clone())),
        "write" | "pwrite64" => Some(Event::Written(descriptor(arguments)?)),
        "fsync" | "fdatasync" => Some(Event::Synced(descriptor(arguments)?)),
        "unlink" | "unlinkat" => Some(Event::Gone(quoted(arguments).first()?.clone())),
        "rename" | "renameat" | "renameat2" => {
            let [from, to] = quoted(arguments).try_into().ok()?;
            Some(Event::Renamed(from, to))
        }
        _ => None,
    }
}

/// What the disk may not have yet.
#[derive(Default)]
struct Disk {
    /// Files with content.
    contents: BTreeSet<PathBuf>,
    /// Folders with new names in them.
    names: BTreeSet<PathBuf>,
}

impl Disk {
    fn take(&mut self, event: &Event) {
        let folder = |path: &Path| path.parent().expect("a folder").to_owned();
        match event {
            // The mark counts from its renaming on.
            Event::Made(path) if path.ends_with(format!("{MARK}.new")) => {}
            Event::Made(path) => _ = self.names.insert(folder(path)),
            Event::Written(path) => _ = self.contents.insert(path.clone()),
            Event::Synced(path) => {
                self.contents.remove(path);
                self.names.remove(path);
            }
            Event::Gone(path) if path.ends_with(MARK) => _ = self.names.insert(folder(path)),
            Event::Gone(path) => _ = self.contents.remove(path),
            Event::Renamed(_, to) => _ = self.names.insert(folder(to)),
        }
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A shop with an operator; its configuration.
fn shop(dir: &Path, name: &str) -> String {
    let config = dir.join(format!("{name}.toml"));
    let text = format!("data_dir = {:?}\n[onion]\nenabled = false\n", dir.join(name));
    std::fs::write(&config, text).expect("a configuration");
    let config = config.display().to_string();
    run_json(&["operator", "add", "anna", "--role", "administrator", "--config", &config]);
    config
}

#[test]
fn a_restore_is_decided_only_when_all_that_it_puts_in_place_is_on_the_disk() {
    if !Strace::is_permitted() {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (shop(dir.path(), "from"), shop(dir.path(), "to"));
    let key = dir.path().join("from/tor/keystore/hss/shop/ks_hs_id.ed25519_expanded_private");
    std::fs::create_dir_all(key.parent().expect("a folder")).expect("folders");
    std::fs::write(&key, "a key").expect("a key");
    let backup = run_json(&["backup", "create", "--config", &from]);
    let file = backup["file"].as_str().expect("a file");
    let command = [BIN, "backup", "restore", file, "--force", "--config", &to];
    let lines = Strace::of(&command, &["-e", CALLS]);
    let about = |event: &Event| {
        let (Event::Made(path)
        | Event::Written(path)
        | Event::Synced(path)
        | Event::Gone(path)
        | Event::Renamed(path, _)) = event;
        path.starts_with(dir.path().join("to"))
    };
    let events: Vec<Event> = lines.iter().filter_map(|line| event(line)).filter(about).collect();

    let (mut disk, mut renamed, mut is_decided) = (Disk::default(), BTreeSet::new(), false);
    for event in &events {
        if let Event::Renamed(from, to) = event {
            // What it is called and what is in it, before it is called so.
            let dirty: Vec<_> = disk.contents.iter().filter(|path| path.starts_with(from)).collect();
            assert!(dirty.is_empty(), "{} is renamed before {dirty:?} are on the disk: {events:#?}", text(from));
            if to.ends_with(MARK) {
                is_decided = true;
                let ready = disk.contents.iter().filter(|path| text(path).contains(READY));
                let left: Vec<_> = ready.chain(&disk.names).collect();
                assert!(left.is_empty(), "decided before {left:?} are on the disk: {events:#?}");
            } else {
                assert!(is_decided, "{} gets its name before that was decided: {events:#?}", text(to));
                assert!(disk.names.is_empty(), "{} while names in {:?} are not on the disk", text(to), disk.names);
            }
            renamed.insert(text(to.strip_prefix(dir.path()).expect("inside")));
        }
        disk.take(event);
    }
    assert!(disk.names.is_empty(), "not on the disk at the end: {:?}", disk.names);
    for place in ["shop.sqlite3", "config.restored.toml", "tor/keystore", MARK] {
        assert!(renamed.contains(&format!("to/{place}")), "{place} is not among {renamed:?}");
    }
}
