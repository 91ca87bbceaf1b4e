//! What is logged: a level, or a list of `target=level`.

use tracing_subscriber::EnvFilter;

/// The levels; none of them is a target of ours.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged of everything that a list does not name.
const OTHERS: &str = "info";

/// The targets of our own that there are, with all that is in them.
const OURS: [&str; 5] = ["ip2tor_shop", "ip2tor_domain", "ip2tor_lightning", "ip2tor_onion", "ip2tor_lnd_simulator"];

/// Checks a filter, and gives it back as it is used. What would silence the log without a word is none: a word that is
/// no level (it would be taken for a target, of which all is logged) and a target of ours that there is not. A list of
/// targets alone has the usual level for all others.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str) -> Result<String, String> {
    let text = text.trim();
    let wrong = |why: &str| {
        format!(
            "{text:?} is not a log level: {why}; say one of {}, or a list such as info,ip2tor_shop::background=debug",
            LEVELS.join(", ")
        )
    };
    if text.is_empty() {
        return Err(wrong("it is empty"));
    }
    let mut has_level_for_others = false;
    for part in text.split(',') {
        let (target, level) = part.rsplit_once('=').map_or((None, part), |(target, level)| (Some(target), level));
        let level = level.trim();
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            return Err(wrong(&format!("{level:?} is none")));
        }
        if let Some(right) = target.and_then(misspelt) {
            return Err(wrong(&right));
        }
        has_level_for_others |= target.is_none();
    }
    let filter = if has_level_for_others { text.to_owned() } else { format!("{OTHERS},{text}") };
    EnvFilter::try_new(&filter).map(|_| filter).map_err(|error| wrong(&error.to_string()))
}

/// What a target that looks like one of ours, and is none, should be.
fn misspelt(target: &str) -> Option<String> {
    let target = target.trim();
    let name = target.split(['[', ':']).next().unwrap_or_default();
    let right = name.to_ascii_lowercase().replace('-', "_");
    // A target is named by its beginning.
    if !right.starts_with("ip2tor") || OURS.iter().any(|ours| ours.starts_with(name)) {
        return None;
    }
    let found = OURS.iter().find(|ours| **ours == right);
    let advice = found.map_or_else(|| format!("there are {}", OURS.join(", ")), |right| format!("it is {right}"));
    Some(format!("there is no target {name:?}, {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_and_a_list_of_levels_are_taken() {
        for text in ["info", " debug\n", "WARN", "info,ip2tor_shop::background=debug", "warn,a[span{x=1}]=trace", "off"]
        {
            assert_eq!(parse(text).as_deref(), Ok(text.trim()), "{text:?}");
        }
    }

    #[test]
    fn a_list_of_targets_alone_silences_nothing_else() {
        for text in ["foo=debug", "ip2tor_lightning=debug,ip2tor_onion::dialer=trace", "ip2tor=debug"] {
            assert_eq!(parse(text), Ok(format!("info,{text}")));
        }
    }

    #[test]
    fn a_target_of_ours_that_there_is_not_is_refused_with_the_right_one() {
        for (text, right) in [
            ("ip2tor-shop=debug", "it is ip2tor_shop;"),
            ("info,IP2Tor-Lightning::link=debug", "it is ip2tor_lightning;"),
            ("info,ip2tor_shops=debug", "there are ip2tor_shop, ip2tor_domain"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains("there is no target") && message.contains(right), "{message}");
        }
    }

    #[test]
    fn a_word_that_is_no_level_would_silence_the_log_and_is_refused() {
        for text in
            ["verbose", "", " ", "info,verbose", "ip2tor_shop", "shouting=loud", "info,", "a=", "infoo", "info warn"]
        {
            let message = parse(text).unwrap_err();
            assert!(message.contains("is not a log level"), "{message}");
        }
    }
}
