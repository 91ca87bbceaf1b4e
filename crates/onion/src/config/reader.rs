//! Reads `[onion]` setting by setting, so that one that is wrong does not hide the others.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::settings::{AdminOnionConfig, OnionConfig, SettingProblem};

/// What can be read, the rest at its default, and what could not.
pub fn read(mut table: Table) -> (OnionConfig, Vec<SettingProblem>) {
    let mut problems = Vec::new();
    let admin = match table.get("admin") {
        Some(Value::Table(_)) => table.remove("admin"),
        _ => None,
    };
    let mut config: OnionConfig = section(table, "", &mut problems);
    if let Some(Value::Table(table)) = admin {
        config.admin = section::<AdminOnionConfig>(table, "admin.", &mut problems);
    }
    (config, problems)
}

fn section<T: DeserializeOwned + Default>(table: Table, path: &str, problems: &mut Vec<SettingProblem>) -> T {
    let mut good = Table::new();
    for (key, value) in table {
        match Table::from_iter([(key.clone(), value.clone())]).try_into::<T>() {
            Ok(_) => drop(good.insert(key, value)),
            Err(error) => {
                let text = in_words(error.message(), &value);
                problems.push(SettingProblem { setting: format!("{path}{key}"), text });
            }
        }
    }
    // Each of them could be read alone, so all can; and if not, the settings are checked afterwards.
    good.try_into().unwrap_or_default()
}

/// What serde says about types, as it is said about the other settings.
fn in_words(message: &str, value: &Value) -> String {
    let Some((_, wanted)) = message.split_once("expected ") else {
        return match value {
            Value::String(text) if message.contains("socket address") => {
                format!("{text:?} is not ADDRESS:PORT, as in 127.0.0.1:9050")
            }
            _ => message.to_owned(),
        };
    };
    let names = wanted.trim_start_matches("one of ").replace('`', "");
    if message.starts_with("unknown field") {
        return format!("there is no such setting here; there are: {names}");
    }
    let wanted = match wanted {
        "u16" => "a whole number from 1 to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number of at least 1".to_owned(),
        "a boolean" => "true or false".to_owned(),
        _ if message.starts_with("unknown variant") => format!("one of \"{}\"", names.replace(", ", "\", \"")),
        other => other.to_owned(),
    };
    format!("must be {wanted}, not {value}")
}
