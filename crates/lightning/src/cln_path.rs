//! Which part of the way to lightningd's socket is closed. lightningd makes its folders for its own user alone
//! (mode 0700), so that the mode and the group of the socket itself let nobody in.

use std::io;
use std::path::Path;

/// What to do about a closed folder.
const OPEN_FOLDER: &str = "every folder on the way must let the shop's user through (on the node: `chmod g+x` \
    for its group, or `setfacl -m u:ip2tor-shop:x`), and lightningd needs rpc-file-mode=0660";

/// Why the socket at `path` may not be used, with the part that is closed. `is_hidden` says whether this process
/// may not even look at a path, which means that the folder above it is closed.
pub fn closed(path: &Path, is_hidden: impl Fn(&Path) -> bool) -> String {
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    let folder = parts.iter().find(|part| is_hidden(part)).and_then(|part| part.parent());
    let socket = path.display();
    match folder {
        Some(folder) => format!(
            "bad credentials: the shop's user can't get to {socket}: the folder {} is closed to it; {OPEN_FOLDER}",
            folder.display()
        ),
        None => format!(
            "bad credentials: the shop's user may not use the socket {socket}; let it into the socket's group and set \
             rpc-file-mode=0660 (in lightningd's configuration; then restart it)"
        ),
    }
}

/// Whether this process may not look at `path`.
pub fn is_hidden(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_the_way_that_is_closed_is_named() {
        let socket = Path::new("/home/cln/.lightning/bitcoin/lightning-rpc");
        let behind = |folder: &'static str| move |path: &Path| path != Path::new(folder) && path.starts_with(folder);
        let text = closed(socket, behind("/home/cln"));
        assert!(text.contains("the folder /home/cln is closed") && text.contains("chmod g+x"), "{text}");
        let text = closed(socket, behind("/home/cln/.lightning/bitcoin"));
        assert!(text.contains("the folder /home/cln/.lightning/bitcoin is closed"), "{text}");
        let text = closed(socket, |_| false);
        assert!(text.contains("may not use the socket /home/cln") && text.contains("rpc-file-mode=0660"), "{text}");
    }
}
