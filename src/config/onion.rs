//! `[onion]`: the settings belong to the onion service; the data folder gives its folders.

use std::path::PathBuf;

use super::reader::{Section, absolute, address};
use super::{Config, Problem, Problems};
use crate::onion::{AdminOnionConfig, OnionConfig, OnionError, SettingProblem, Vanguards};

/// `[onion]` as it is read: which data folder it will have is not known yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Onion {
    /// Everything but the folders.
    settings: OnionConfig,
    /// Where Tor keeps its keys, if that is said.
    state_dir: Option<PathBuf>,
    /// Where it keeps the directory of relays, if that is said.
    cache_dir: Option<PathBuf>,
}

impl Onion {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let default = OnionConfig::default();
        let folder = |text: &str| absolute(text).map(Some);
        let state_dir = section.read("state_dir", None, folder);
        let cache_dir = section.read("cache_dir", None, folder);
        let settings = OnionConfig {
            enabled: section.flag("enabled", default.enabled),
            nickname: section.string("nickname").unwrap_or(default.nickname),
            virtual_port: section.number("virtual_port", default.virtual_port, 1..=65_535),
            vanguards: section.read("vanguards", default.vanguards, vanguards),
            max_streams_per_circuit: section.number(
                "max_streams_per_circuit",
                default.max_streams_per_circuit,
                1..=u32::MAX.into(),
            ),
            max_circuits: section.number("max_circuits", default.max_circuits, 1..=u32::MAX.into()),
            idle_circuit_secs: section.number("idle_circuit_secs", default.idle_circuit_secs, 1..=i64::MAX),
            memory_limit_bytes: section.number("memory_limit_bytes", default.memory_limit_bytes, 0..=i64::MAX),
            socks_proxy: section.read("socks_proxy", None, |text| address(text).map(Some)),
            onion_location: section.flag("onion_location", default.onion_location),
            admin: admin(section.section("admin"), default.admin),
            arti: section.table("arti"),
            state_dir: default.state_dir,
            cache_dir: default.cache_dir,
        };
        section.finish();
        Self { settings, state_dir, cache_dir }
    }
}

fn admin(mut section: Section<'_>, default: AdminOnionConfig) -> AdminOnionConfig {
    let admin = AdminOnionConfig {
        enabled: section.flag("enabled", default.enabled),
        nickname: section.string("nickname").unwrap_or(default.nickname),
        virtual_port: section.number("virtual_port", default.virtual_port, 1..=65_535),
        clients: section.strings_by_name("clients"),
    };
    section.finish();
    admin
}

fn vanguards(text: &str) -> Result<Vanguards, String> {
    let known = Vanguards::ALL.into_iter().find(|mode| mode.as_str() == text);
    known.ok_or_else(|| {
        let names = Vanguards::ALL.map(|mode| format!("{:?}", mode.as_str()));
        format!("{text:?} is none of {}", names.join(", "))
    })
}

impl Config {
    /// The settings of the onion service; its folders are in the data folder unless set.
    ///
    /// # Errors
    /// All settings that cannot work.
    pub fn onion_settings(&self) -> Result<OnionConfig, Problems> {
        let settings = self.onion_with_folders();
        let problems: Vec<_> = settings.problems().into_iter().map(Problem::from).collect();
        if problems.is_empty() { Ok(settings) } else { Err(Problems(problems)) }
    }

    /// The same unchecked.
    pub(super) fn onion_with_folders(&self) -> OnionConfig {
        let Onion { settings, state_dir, cache_dir } = self.onion.clone();
        let folder = |set: Option<PathBuf>, name: &str| set.unwrap_or_else(|| self.data_dir.join(name));
        OnionConfig { state_dir: folder(state_dir, "tor"), cache_dir: folder(cache_dir, "tor-cache"), ..settings }
    }
}

impl From<SettingProblem> for Problem {
    fn from(SettingProblem { setting, text }: SettingProblem) -> Self {
        Self { key: format!("onion.{setting}"), message: text }
    }
}

impl Problem {
    /// The error as a problem of the configuration, if it is one.
    pub fn of_onion(error: &OnionError) -> Option<Self> {
        let OnionError::Config { field, problem } = error else { return None };
        let key = if field == "*" { "onion".to_owned() } else { format!("onion.{field}") };
        Some(Self { key, message: problem.clone() })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::onion::OnionConfig;

    #[test]
    fn the_folders_of_tor_are_in_the_data_folder_unless_set() {
        let config = Config::parse("data_dir = \"/shop\"\n[onion]\nstate_dir = \"/keys\"").expect("a good file");
        let onion = config.onion_settings().expect("good settings");
        assert_eq!(onion.state_dir.to_str(), Some("/keys"));
        assert_eq!(onion.cache_dir.to_str(), Some("/shop/tor-cache"));
    }

    #[test]
    fn an_empty_section_is_the_defaults_of_the_onion_service() {
        let config = Config::parse("[onion]\n[onion.admin]\n").expect("a good file");
        assert_eq!(config.onion_settings(), Ok(OnionConfig::default()));
    }

    #[test]
    fn every_wrong_setting_is_told_at_once_in_words() {
        let text = "[onion]\nnickname = \"a b/c\"\nvirtual_port = 0\nvanguards = \"x\"\nmax_circuits = -1\nnope = 1\n\
                    socks_proxy = \"9050\"\nenabled = \"yes\"\nmemory_limit_bytes = 1000\nidle_circuit_secs = 0\n\
                    [onion.admin]\nvirtual_port = 70000\ncolour = 1\nclients = { laptop = 5 }\n";
        let problems = Config::parse(text).expect_err("wrong settings").0;
        let said = |key: &str| {
            let found: Vec<_> = problems.iter().filter(|problem| problem.key == format!("onion.{key}")).collect();
            assert_eq!(found.len(), 1, "{key} in {problems:?}");
            found[0].message.clone()
        };
        assert_eq!(said("vanguards"), "\"x\" is none of \"full\", \"lite\", \"disabled\"");
        assert_eq!(said("admin.virtual_port"), "70000 is not between 1 and 65535");
        assert_eq!(said("idle_circuit_secs").as_str(), "0 is less than 1");
        assert_eq!(said("enabled"), "must be true or false, not string");
        assert_eq!(said("virtual_port"), "0 is not between 1 and 65535");
        assert!(said("nope").starts_with("there is no such setting here; there are: state_dir, "));
        assert!(said("admin.colour").ends_with("there are: enabled, nickname, virtual_port, clients"));
        assert_eq!(said("admin.clients.laptop"), "must be a string, not integer");
        assert!(said("socks_proxy").contains("ADDRESS:PORT"));
        assert!(said("memory_limit_bytes").starts_with("must be from "));
        assert!(!said("nickname").is_empty() && !said("max_circuits").is_empty());
        assert_eq!(problems.len(), 12, "{problems:?}");
    }

    #[test]
    fn wrong_onion_settings_are_problems_of_the_file_among_the_others() {
        let text = "[http]\nlisten = 1\n[onion]\nvirtual_prot = 80\nnickname = \"\"\n[onion.admin]\nname = 1";
        let problems = Config::parse(text).expect_err("unknown keys");
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["http.listen", "onion.admin.name", "onion.virtual_prot", "onion.nickname"]);
    }

    #[test]
    fn what_serve_would_refuse_is_a_problem_of_the_file() {
        for (text, key) in [
            ("[onion]\nstate_dir = \"tor\"", "onion.state_dir"),
            ("[onion]\ncache_dir = \"./tor\"", "onion.cache_dir"),
            ("[onion.admin]\nclients = { lap = \"hello\" }", "onion.admin.clients"),
        ] {
            let problems = Config::parse(text).expect_err(text);
            assert_eq!(problems.0[0].key, key, "{problems}");
        }
    }
}
