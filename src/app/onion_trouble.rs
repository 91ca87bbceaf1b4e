//! Why the files of an onion service can't be used, in words for whoever has to put it right: a link to a disk that
//! is not mounted, a file in place of a folder, a folder of another user. Only looks; opens nothing.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::onion::{OnionConfig, keys};
use crate::services::file_permissions;

/// How deep Tor's state goes: `keystore/hss/<nickname>/<key>`.
const DEPTH: usize = 4;

/// What is wrong with the folders of Tor or with the key of the service `nickname`, if it can be seen.
pub fn diagnose(config: &OnionConfig, nickname: &str) -> Option<String> {
    let key = config.state_dir.join("keystore/hss").join(nickname).join(keys::KEY_FILE);
    way_to(&key, &config.state_dir, Metadata::is_file)
        .or_else(|| way_to(&config.cache_dir, &config.cache_dir, Metadata::is_dir))
        .or_else(|| [&config.state_dir, &config.cache_dir].into_iter().find_map(|folder| foreign_in(folder)))
}

/// What is wrong with the first bad step on the way to `end`, the last part of which lies in the shop's `folder`.
fn way_to(end: &Path, folder: &Path, is_right: fn(&Metadata) -> bool) -> Option<String> {
    let mut steps: Vec<&Path> = end.ancestors().filter(|step| !step.as_os_str().is_empty()).collect();
    steps.reverse();
    for step in steps {
        let link = fs::symlink_metadata(step);
        let found = match fs::metadata(step) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound && link.is_ok_and(|about| about.is_symlink()) => {
                return Some(dangling(step));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return file_permissions::folder_denial(step),
            Err(error) => {
                let text = || format!("{} can't be looked at: {error}", step.display());
                return Some(file_permissions::folder_denial(step).unwrap_or_else(text));
            }
        };
        if step != end && !found.is_dir() {
            return Some(format!("{} should be a folder and is none: move it away", step.display()));
        }
        if step == end && !is_right(&found) {
            return Some(format!("{} is not what it should be: move it away", step.display()));
        }
        if step.starts_with(folder)
            && let Some(advice) = file_permissions::of_another_user(step, folder)
        {
            return Some(advice);
        }
    }
    None
}

fn dangling(link: &Path) -> String {
    let target = fs::read_link(link).unwrap_or_default();
    format!(
        "{} is a link to {}, which is not there: mount the disk that it is on, or remove the link",
        link.display(),
        target.display()
    )
}

/// The first thing in the shop's `folder` that belongs to another user.
fn foreign_in(folder: &Path) -> Option<String> {
    fn look(path: &Path, folder: &Path, depth: usize) -> Option<String> {
        if let Some(advice) = file_permissions::of_another_user(path, folder) {
            return Some(advice);
        }
        let is_folder = fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
        if depth == 0 || !is_folder {
            return None;
        }
        let mut entries: Vec<PathBuf> = fs::read_dir(path).ok()?.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().find_map(|entry| look(entry, folder, depth - 1))
    }
    look(folder, folder, DEPTH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    fn config(dir: &Path) -> OnionConfig {
        OnionConfig { state_dir: dir.join("tor"), cache_dir: dir.join("tor-cache"), ..OnionConfig::default() }
    }

    #[test]
    fn what_is_not_there_yet_is_no_trouble() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        assert_eq!(diagnose(&config, "shop"), None);
        fs::create_dir_all(config.state_dir.join("keystore/hss/shop")).unwrap();
        assert_eq!(diagnose(&config, "shop"), None);
    }

    #[test]
    fn the_first_bad_step_on_the_way_is_named_with_what_to_do() {
        for step in ["tor", "tor/keystore", "tor/keystore/hss", "tor/keystore/hss/shop", "tor-cache"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(step);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink("/nowhere/usb", &path).unwrap();
            let text = diagnose(&config(dir.path()), "shop").unwrap();
            assert!(text.contains(&format!("{} is a link to /nowhere/usb", path.display())), "{text}");
            fs::remove_file(&path).unwrap();
            fs::write(&path, "").unwrap();
            let text = diagnose(&config(dir.path()), "shop").unwrap();
            assert!(text.contains(path.to_str().unwrap()) && text.contains("move it away"), "{text}");
        }
    }

    #[test]
    fn a_file_of_another_user_is_to_be_given_to_the_shops() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        for file in ["keystore/hss/shop/ks_hs_id.ed25519_expanded_private", "state/guards.json"] {
            let file = config.state_dir.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            if chown(&file, Some(4_000_000), None).is_err() {
                return; // only root may give a file away
            }
            let text = diagnose(&config, "shop").unwrap();
            assert!(text.contains(file.to_str().unwrap()), "{text}");
            assert!(text.contains("sudo chown -R ") && text.contains(config.state_dir.to_str().unwrap()), "{text}");
            fs::remove_file(&file).unwrap();
        }
    }
}
