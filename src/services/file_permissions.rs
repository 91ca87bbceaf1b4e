//! Who may use the shop's files. Somebody who runs a command as another user than the shop's meets
//! "permission denied" deep inside; here that becomes an advice. Nothing is opened: it may be a database in use.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// The user whom the packaged service runs as.
const SHOP_USER: &str = "ip2tor-shop";
const ROOT: u32 = 0;

/// When this user may not use `file` (which need not exist) and the folder that it is in: whose they are, and what
/// to do. The one who owns the folder is the one whom the shop runs as, unless that is root.
pub fn denial(file: &Path) -> Option<String> {
    let path = std::path::absolute(file).ok()?;
    let folder = path.parent().unwrap_or(&path);
    if let Some(closed) = closed_folder(&path) {
        return Some(closed_advice(&path, &closed, &Users::now()));
    }
    let may_not = |path: &Path, how| access(path, how) == Err(rustix::io::Errno::ACCESS);
    let is_denied = may_not(&path, Access::READ_OK | Access::WRITE_OK) || may_not(folder, Access::WRITE_OK);
    is_denied.then(|| advice(file, owner_of(&path), owner_of(folder), &Users::now()))
}

/// When this user may not make the folder: what to do.
pub fn folder_denial(folder: &Path) -> Option<String> {
    let path = std::path::absolute(folder).ok()?;
    let users = Users::now();
    if let Some(closed) = closed_folder(&path) {
        return Some(closed_advice(&path, &closed, &users));
    }
    let parent = path.ancestors().skip(1).find(|above| above.exists())?;
    (access(parent, Access::WRITE_OK) == Err(rustix::io::Errno::ACCESS)).then(|| {
        format!(
            "you may not make {} in {}, which belongs to {}: sudo install -d -o {} -m 700 {}",
            path.display(),
            parent.display(),
            users.name(owner_of(parent).unwrap_or(ROOT)),
            users.shop(),
            path.display(),
        )
    })
}

/// When `path`, in the `folder` that is the shop's alone, belongs to another user than this one: what to do.
pub fn of_another_user(path: &Path, folder: &Path) -> Option<String> {
    let (owner, users) = (owner_of(path)?, Users::now());
    (owner != users.own).then(|| {
        let (found, keeper, me) = (path.display(), users.name(owner), users.owner(users.own));
        format!("{found} belongs to {keeper}: sudo chown -R {me} {}", folder.display())
    })
}

/// The groups of a user: the first one, and all of them. `None` when the machine's files do not know the user.
pub fn groups_of(user: u32) -> Option<(u32, Vec<u32>)> {
    Users::now().groups_of(user)
}

/// The name of a group of this machine.
pub fn group_name(id: u32) -> Option<String> {
    name_in(&Users::now().group, id).map(str::to_owned)
}

/// The packaged shop's user and group, if the machine has them.
pub fn shop_user() -> Option<(u32, u32)> {
    Users::now().numbers_of(SHOP_USER)
}

/// What to do about a file that the shop only reads (its configuration, a backup) and this user may not.
pub fn how_to_read(file: &Path) -> String {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    how_to_read_as(&path, closed_folder(&path).as_deref(), &Users::now())
}

fn how_to_read_as(path: &Path, closed: Option<&Path>, users: &Users) -> String {
    let user = users.shop();
    if !users.is_me(user) {
        return format!("run this as the shop's user ({})", users.as_user(user));
    }
    let (what, right) = closed.map_or((path, "g+r"), |folder| (folder, "g+x"));
    let (what, group) = (what.display(), users.group_of(user));
    format!("let the shop's user at it (sudo chgrp {group} {what} && sudo chmod {right} {what})")
}

/// The highest folder on the way to `path` that this user may not enter.
fn closed_folder(path: &Path) -> Option<PathBuf> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    let is_closed = |folder: &&&Path| access(**folder, Access::EXEC_OK) == Err(rustix::io::Errno::ACCESS);
    above.iter().find(is_closed).map(|folder| folder.to_path_buf())
}

/// The advice for a file behind a folder that may not be entered.
fn closed_advice(path: &Path, closed: &Path, users: &Users) -> String {
    let (what, folder) = (format!("you may not use {}", path.display()), closed.display());
    let Some(owner) = owner_of(closed) else {
        return format!(
            "{what}: {folder} is closed to you; run this as the shop's user ({})",
            users.as_user(users.shop())
        );
    };
    let keeper = users.name(owner);
    // The data folder itself is the shop's, and so is whoever it belongs to.
    if path.parent() == Some(closed) && owner != ROOT {
        return format!("{what}: its folder belongs to {keeper}; run this as {}", users.as_user(&keeper));
    }
    if path.parent() == Some(closed) {
        return format!("{what}: {}", users.give_back(&keeper, closed));
    }
    format!(
        "{what}: the folder {folder} belongs to {keeper} and is closed to others; let them through (sudo chmod o+x \
         {folder}), or put the shop's data elsewhere (data_dir)"
    )
}

/// The advice for a file that belongs to `owner` in a folder of `keeper`, as far as that is known.
fn advice(file: &Path, owner: Option<u32>, keeper: Option<u32>, users: &Users) -> String {
    let what = format!("you may not use {}", file.display());
    let (Some(owner), Some(keeper)) = (owner.or(keeper), keeper.or(owner)) else {
        return format!("{what}: run this as the shop's user ({})", users.as_user(users.shop()));
    };
    let folder = file.parent().unwrap_or(file);
    let (owned, kept) = (users.name(owner), users.name(keeper));
    if keeper == ROOT {
        // Root has copied the folder, or made it: no shop runs as root.
        return format!("{what}: {}", users.give_back(&owned, folder));
    }
    let as_keeper = users.as_user(&kept);
    if owner == keeper {
        return format!("{what}: it belongs to {owned}; run this as {as_keeper}");
    }
    format!(
        "{what}: it belongs to {owned}, its folder to {kept}; give it back (sudo chown -R {} {}) and run all \
         commands as {as_keeper}",
        users.owner(keeper),
        folder.display(),
    )
}

fn owner_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|about| about.uid())
}

/// The users of this machine, and which of them this is.
struct Users {
    /// As in passwd(5).
    passwd: String,
    /// As in group(5).
    group: String,
    own: u32,
}

impl Users {
    fn now() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
        Self { passwd, group, own: owner_of(Path::new("/proc/self")).unwrap_or(ROOT) }
    }

    /// The name of a user; `'#ID'`, as sudo takes it, when there is none.
    fn name(&self, id: u32) -> String {
        name_in(&self.passwd, id).map_or_else(|| format!("'#{id}'"), str::to_owned)
    }

    /// The group that a user has before all others, which need not be called as the user is.
    fn group_of(&self, user: &str) -> String {
        let of_user = |line: &&str| line.split(':').next() == Some(user);
        let id = self.passwd.lines().find(of_user).and_then(|line| line.split(':').nth(3)?.parse().ok());
        let Some(id) = id else { return user.to_owned() };
        name_in(&self.group, id).map_or_else(|| id.to_string(), str::to_owned)
    }

    /// The numbers of a user and of the group that it has before all others.
    fn numbers_of(&self, user: &str) -> Option<(u32, u32)> {
        let line = self.passwd.lines().find(|line| line.split(':').next() == Some(user))?;
        let mut numbers = line.split(':').skip(2).map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    }

    /// The first group of a user, and all groups, that one included.
    fn groups_of(&self, id: u32) -> Option<(u32, Vec<u32>)> {
        let user = name_in(&self.passwd, id)?;
        let (_, first) = self.numbers_of(user)?;
        let named = self.group.lines().filter_map(|line| {
            let mut fields = line.split(':').skip(2);
            let number: u32 = fields.next()?.parse().ok()?;
            (number != first && fields.next()?.split(',').any(|member| member == user)).then_some(number)
        });
        Some((first, std::iter::once(first).chain(named).collect()))
    }

    /// A user as chown takes one, with the group that is theirs.
    fn owner(&self, id: u32) -> String {
        name_in(&self.passwd, id).map_or_else(|| id.to_string(), |name| format!("{name}:"))
    }

    /// The user whom the shop should run as: the packaged one where there is one, else the one who asks.
    fn shop(&self) -> &str {
        let has_packaged = self.passwd.lines().any(|line| line.split(':').next() == Some(SHOP_USER));
        let own = name_in(&self.passwd, self.own).filter(|_| self.own != ROOT);
        if has_packaged { SHOP_USER } else { own.unwrap_or(SHOP_USER) }
    }

    fn is_me(&self, user: &str) -> bool {
        self.name(self.own) == user
    }

    /// How a command is run as a user.
    fn as_user(&self, user: &str) -> String {
        if self.is_me(user) { "yourself".to_owned() } else { format!("sudo -u {user} ip2tor-shop …") }
    }

    /// How a folder that root has made or copied becomes the shop's.
    fn give_back(&self, owner: &str, folder: &Path) -> String {
        let user = self.shop();
        let how = self.as_user(user);
        format!(
            "it belongs to {owner}; make it the shop's (sudo chown -R {user}: {}) and run all commands as {how}",
            folder.display()
        )
    }
}

/// Looks a user up in the format of passwd(5), or a group in that of group(5).
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
    use crate::store::Db;
    use crate::store::db::tests::locks_on;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000::/home/pi:/bin/bash\n";

    fn users(own: u32) -> Users {
        Users { passwd: PASSWD.to_owned(), group: String::new(), own }
    }

    fn with_packaged(own: u32) -> Users {
        let passwd = format!("{PASSWD}ip2tor-shop:x:998:100::/var/lib/ip2tor-shop:/usr/sbin/nologin\n");
        Users { passwd, group: "root:x:0:\nusers:x:100:pi\n".to_owned(), own }
    }

    #[test]
    fn a_user_is_named_as_in_passwd() {
        assert_eq!((name_in(PASSWD, 1000), name_in(PASSWD, 5)), (Some("pi"), None));
    }

    #[test]
    fn a_group_is_named_as_in_group_or_by_its_number() {
        assert_eq!(with_packaged(0).group_of("ip2tor-shop"), "users");
        assert_eq!((users(0).group_of("pi"), users(0).group_of("nobody")), ("1000".to_owned(), "nobody".to_owned()));
    }

    #[test]
    fn a_user_keeps_all_of_its_groups() {
        let mut users = with_packaged(0);
        users.group.push_str("lnd:x:120:pi,ip2tor-shop\nusers2:x:121:ip2tor-shop2\nbroken\n");
        assert_eq!(users.groups_of(998), Some((100, vec![100, 120])));
        assert_eq!(users.groups_of(1000), Some((1000, vec![1000, 100, 120])));
        assert_eq!(users.groups_of(5), None, "a user that is in no file");
    }

    #[test]
    fn a_database_of_root_in_the_shops_folder_is_to_be_given_back() {
        let text = advice(Path::new("/data/shop.sqlite3"), Some(0), Some(4_000_000_000), &users(1000));
        assert!(text.contains("belongs to root"), "{text}");
        assert!(text.contains("chown -R 4000000000 /data") && text.contains("sudo -u '#4000000000'"), "{text}");
    }

    #[test]
    fn somebody_elses_shop_is_to_be_used_as_its_owner() {
        let text = advice(Path::new("/data/shop.sqlite3"), None, Some(1000), &users(5));
        assert!(text.ends_with("it belongs to pi; run this as sudo -u pi ip2tor-shop …"), "{text}");
    }

    #[test]
    fn a_folder_that_root_copied_is_to_be_made_the_shops_and_never_used_as_root() {
        for (users, user) in
            [(with_packaged(998), "ip2tor-shop"), (with_packaged(1000), "ip2tor-shop"), (users(1000), "pi")]
        {
            let text = advice(Path::new("/data/shop.sqlite3"), Some(0), Some(0), &users);
            assert!(text.contains(&format!("sudo chown -R {user}: /data")), "{text}");
            assert!(!text.contains("sudo -u root"), "{text}");
        }
        let text = advice(Path::new("/data/shop.sqlite3"), Some(0), Some(0), &with_packaged(998));
        assert!(text.ends_with("as yourself"), "{text}");
    }

    #[test]
    fn a_closed_folder_of_another_user_on_the_way_is_named() {
        let (path, users) = (Path::new("/proc/self/shop/shop.sqlite3"), with_packaged(998));
        let text = closed_advice(path, Path::new("/proc/self"), &users);
        assert!(text.contains("the folder /proc/self belongs to") && text.contains("chmod o+x /proc/self"), "{text}");
    }

    #[test]
    fn the_shops_own_user_is_not_told_to_become_itself_to_read_a_file() {
        let file = Path::new("/etc/ip2tor-shop/config.toml");
        let text = how_to_read_as(file, None, &with_packaged(998));
        assert!(text.contains("chgrp users /etc/ip2tor-shop/config.toml && sudo chmod g+r"), "{text}");
        let text = how_to_read_as(file, file.parent(), &with_packaged(998));
        assert!(text.contains("chmod g+x /etc/ip2tor-shop)"), "{text}");
        assert!(how_to_read_as(file, None, &with_packaged(1000)).contains("sudo -u ip2tor-shop"));
    }

    #[test]
    fn what_may_be_used_or_is_not_there_is_not_denied() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(denial(&dir.path().join("missing")), None);
        assert_eq!(folder_denial(&dir.path().join("missing/folder")), None);
        fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(denial(&dir.path().join("file")), None);
    }

    #[test]
    fn looking_whether_a_database_may_be_used_gives_none_of_its_locks_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shop.sqlite3");
        let _db = Db::open(&file).unwrap();
        let held = locks_on(&file);
        assert!(held > 0);
        assert_eq!(denial(&file), None);
        assert_eq!(locks_on(&file), held);
    }
}
