//! What is logged: a level, or a list of `target=level`.

use tracing_subscriber::EnvFilter;

/// The levels; none of them is a target of ours.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Checks a filter. A word that is no level would be taken for a target, of which all is logged, and nothing of
/// any other: the log would fall silent.
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
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            return Err(wrong(&format!("{level:?} is none")));
        }
    }
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| wrong(&error.to_string()))
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
    fn a_word_that_is_no_level_would_silence_the_log_and_is_refused() {
        for text in
            ["verbose", "", " ", "info,verbose", "ip2tor_shop", "shouting=loud", "info,", "a=", "infoo", "info warn"]
        {
            let message = parse(text).unwrap_err();
            assert!(message.contains("is not a log level"), "{message}");
        }
    }
}
