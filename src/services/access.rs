//! Who may use the shop's files. Somebody who runs a command as another user than the shop's meets
//! "permission denied" deep inside; here that becomes an advice.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// When this user may not use `file` (which need not exist): whose it is, and what to do. The one
/// who owns the folder is the one whom the shop runs as.
pub fn denial(file: &Path) -> Option<String> {
    let is_denied = match File::options().read(true).write(true).open(file) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    };
    is_denied.then(|| advice(file, owner_of(file), file.parent().and_then(owner_of)))
}

/// The advice for a file that belongs to `owner` in a folder of `keeper`, as far as that is known.
fn advice(file: &Path, owner: Option<u32>, keeper: Option<u32>) -> String {
    let what = format!("you may not use {}", file.display());
    let (Some(owner), Some(keeper)) = (owner.or(keeper), keeper.or(owner)) else {
        return format!("{what}: run this as the shop's user (sudo -u ip2tor-shop ip2tor-shop …)");
    };
    let as_keeper = format!("sudo -u {} ip2tor-shop …", user(keeper));
    if owner == keeper {
        return format!("{what}: it belongs to {}; run this as {as_keeper}", user(owner));
    }
    let folder = file.parent().unwrap_or(file).display();
    format!(
        "{what}: it belongs to {}, its folder to {keeper}; give it back (sudo chown -R {keeper}: {folder}) and run \
         all commands as {as_keeper}",
        user(owner),
        keeper = user(keeper),
    )
}

fn owner_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|about| about.uid())
}

/// The name of a user; `'#ID'`, as sudo takes it, when there is none.
fn user(id: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&users, id).map_or_else(|| format!("'#{id}'"), str::to_owned)
}

/// Looks a user up in the format of passwd(5).
fn name_in(users: &str, id: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_in_passwd() {
        let users = "root:x:0:0:root:/root:/bin/bash\nshop:x:998:998::/var/lib/shop:/usr/sbin/nologin\n";
        assert_eq!((name_in(users, 998), name_in(users, 5)), (Some("shop"), None));
    }

    #[test]
    fn a_database_of_root_in_the_shops_folder_is_to_be_given_back() {
        let text = advice(Path::new("/data/shop.sqlite3"), Some(0), Some(4_000_000_000));
        assert!(text.contains("belongs to root"), "{text}");
        assert!(text.contains("chown -R '#4000000000': /data") && text.contains("sudo -u '#4000000000'"), "{text}");
    }

    #[test]
    fn somebody_elses_shop_is_to_be_used_as_its_owner() {
        let text = advice(Path::new("/data/shop.sqlite3"), None, Some(0));
        assert!(text.ends_with("it belongs to root; run this as sudo -u root ip2tor-shop …"), "{text}");
    }

    #[test]
    fn what_may_be_used_or_is_not_there_is_not_denied() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(denial(&dir.path().join("missing")), None);
        fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(denial(&dir.path().join("file")), None);
    }
}
