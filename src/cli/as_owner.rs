//! Root's commands run as the user whom the shop's data folder belongs to. Whatever they make there (a database, its
//! log, locks, backups, keys) is that user's from the first moment, so the service can use it, and a command of root
//! follows no link that somebody without root's rights has put there.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};

use super::failure::Failure;
use crate::services::file_permissions;

/// Where this is root and the folder another user's, goes on as that user, with all the groups that it has. Rights belong
/// to a thread: this comes before any other thread is begun.
pub fn become_owner(folder: &Path) -> Result<(), Failure> {
    // What is not there, or can't be seen, is told by whoever opens it.
    let Ok(about) = std::fs::metadata(folder) else { return Ok(()) };
    if !geteuid().is_root() || about.uid() == 0 {
        return Ok(());
    }
    let (group, groups) = file_permissions::groups_of(about.uid()).unwrap_or((about.gid(), vec![about.gid()]));
    let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
    // The user last: after that nothing else may be changed.
    let changed = set_thread_groups(&groups)
        .and_then(|()| set_thread_gid(Gid::from_raw(group)))
        .and_then(|()| set_thread_uid(Uid::from_raw(about.uid())));
    changed.map_err(|error| {
        let (folder, owner) = (folder.display(), about.uid());
        Failure::Failed(format!(
            "{folder} belongs to another user, and this can't go on as that one ({error}): sudo -u '#{owner}' \
             ip2tor-shop …"
        ))
    })
}

/// Gives a folder that root has just made for a configuration to the packaged shop's user, if there is one.
pub fn give_to_shop(folder: &Path) -> Result<(), Failure> {
    let Some((user, group)) = file_permissions::shop_user().filter(|_| geteuid().is_root()) else { return Ok(()) };
    std::os::unix::fs::chown(folder, Some(user), Some(group))
        .map_err(|error| Failure::Failed(format!("can't give {} to the shop's user: {error}", folder.display())))
}
