//! `[alerts.nostr]`: direct messages over relays.

use crate::config::reader::Section;
use crate::config::secret::SecretSource;
use crate::domain::alias;
use crate::web;

/// Direct messages over Nostr; only a program that was built with the feature `nostr` sends them.
#[allow(missing_docs, reason = "the example of a configuration says what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nostr {
    pub key: SecretSource,
    /// An npub.
    pub to: String,
    pub relays: Vec<String>,
    pub through_tor: bool,
}

impl Nostr {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let key = section.required("key", SecretSource::parse);
        let to = section.required("to", alias::parse_public_key);
        let relay = |text: &str| relay_as_web(text).map(|_| text.to_owned());
        let relays = section.strings("relays", Vec::new(), relay);
        let through_tor = section.flag("through_tor", false);
        if !(1..=5).contains(&relays.len()) {
            section.problem("relays", "name one to five relays, as in [\"wss://relay.example.com\"]");
        }
        if to.is_some() && !cfg!(feature = "nostr") {
            section.problem("to", "this program was built without messages over Nostr (the feature `nostr`)");
        }
        section.finish();
        Some(Self { key: key?, to: to?, relays, through_tor })
    }
}

/// The address of a relay as one on the web: `wss://`, or `ws://` to what is near by or behind an onion address.
///
/// # Errors
/// What is wrong with it.
pub fn relay_as_web(url: &str) -> Result<http::Uri, String> {
    let wrong = || format!("{url:?} is no relay: it has to start with wss:// (or ws:// for an onion address)");
    let rest = url.strip_prefix("ws").filter(|rest| rest.starts_with("s://") || rest.starts_with("://"));
    web::parse_private(&format!("http{}", rest.ok_or_else(wrong)?)).map_err(|_| wrong())
}
