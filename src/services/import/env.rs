//! The old shop's `.env`: what is not in its database is the time of grace, and where its onion service listened. Values have comments behind them, and quotes that
//! go on over several lines.

use super::refused::Refused;

/// Hosts add no less to each paid period. Seconds.
const LEAST_GRACE_SECS: i64 = 600;
/// A longer grace is a slip of the pen. Seconds.
const MOST_GRACE_SECS: i64 = 30 * 86_400;
/// The port of a URL that names none.
const USUAL_PORT: u16 = 80;
/// Where the grace stands.
const GRACE: &str = "SHOP_BRIDGE_DURATION_GRACE_TIME";
/// Where the port stands at which the onion service was reached.
const ONION_PORT: &str = "SHOP_TOR_HTTP_PORT";

/// What is taken from the file, and the names of what is not: values may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Env {
    /// Seconds added to each paid period.
    pub grace_secs: i64,
    /// The port of the old shop's onion service, where it is not the one that a URL without a port means.
    pub onion_port: Option<u16>,
    /// Names of settings that this shop has in its own configuration, or not at all.
    pub untaken: Vec<String>,
}

impl Default for Env {
    fn default() -> Self {
        Self { grace_secs: LEAST_GRACE_SECS, onion_port: None, untaken: Vec::new() }
    }
}

impl Env {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Refused`] for a grace that is none and for a quote that does not end.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let mut env = Self::default();
        for (name, value) in pairs(text)? {
            if name == GRACE {
                let secs: i64 = value.trim().parse().map_err(|_| Refused::one(format!("{GRACE} is not a number")))?;
                if secs > MOST_GRACE_SECS {
                    return Err(Refused::one(format!("{GRACE} is more than {MOST_GRACE_SECS} seconds")));
                }
                env.grace_secs = secs.max(LEAST_GRACE_SECS);
            } else if let (ONION_PORT, Ok(port)) = (name.as_str(), value.trim().parse::<u16>()) {
                env.onion_port = Some(port).filter(|port| *port != USUAL_PORT);
            } else {
                env.untaken.push(name);
            }
        }
        Ok(env)
    }
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, Refused> {
    let mut pairs = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let named = line.trim_start().strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, value)) = named.split_once('=').filter(|_| !named.starts_with('#')) else {
            rest = after;
            continue;
        };
        let (name, value) = (name.trim().to_owned(), value.trim_start());
        match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            Some(quote) => {
                // From here on, over the ends of lines.
                let begin = rest.find(value).unwrap_or(0) + 1;
                let Some((quoted, behind)) = rest[begin..].split_once(quote) else {
                    return Err(Refused::one(format!("the quote of {name} in the .env does not end")));
                };
                pairs.push((name, quoted.to_owned()));
                rest = behind.split_once('\n').map_or("", |(_, next)| next);
            }
            None => {
                let bare = value.split_once(" #").map_or(value, |(bare, _)| bare);
                let bare = if bare.starts_with('#') { "" } else { bare };
                pairs.push((name, bare.trim().to_owned()));
                rest = after;
            }
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grace(text: &str) -> i64 {
        Env::parse(text).expect("it is read").grace_secs
    }

    #[test]
    fn the_grace_is_read_with_comments_and_quotes_and_is_never_less_than_ten_minutes() {
        assert_eq!(grace(""), 600);
        assert_eq!(grace("SHOP_BRIDGE_DURATION_GRACE_TIME=900 # a quarter of an hour"), 900);
        assert_eq!(grace("export SHOP_BRIDGE_DURATION_GRACE_TIME='1200'\r\nX=1"), 1200);
        assert_eq!(grace("SHOP_BRIDGE_DURATION_GRACE_TIME=60"), 600);
        assert_eq!(grace("# SHOP_BRIDGE_DURATION_GRACE_TIME=900"), 600);
    }

    #[test]
    fn a_port_of_the_onion_service_that_has_to_be_named_is_known() {
        let port = |text: &str| Env::parse(text).expect("it is read").onion_port;
        assert_eq!(port("SHOP_TOR_HTTP_PORT=80 # it can be the same as the clearnet port"), None);
        assert_eq!(port("SHOP_TOR_HTTP_PORT='8080'"), Some(8080));
        assert_eq!(Env::parse("SHOP_TOR_HTTP_PORT=").expect("it is read").untaken, ["SHOP_TOR_HTTP_PORT"]);
    }

    #[test]
    fn values_over_several_lines_hide_no_name_and_no_value_is_kept() {
        let text = "A=\"-----BEGIN\nSHOP_BRIDGE_DURATION_GRACE_TIME=7200\n-----END\" # so\nB=\nC=#\nD=x y";
        let env = Env::parse(text).expect("it is read");
        assert_eq!((env.grace_secs, env.untaken), (600, ["A", "B", "C", "D"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for text in ["SHOP_BRIDGE_DURATION_GRACE_TIME=ten", "SHOP_BRIDGE_DURATION_GRACE_TIME=99999999", "A=\"b"] {
            assert!(Env::parse(text).is_err(), "{text}");
        }
    }
}
