//! Channels of operators' own, made of what they have stored. Their messages go through Tor where the shop has it: the
//! receiver was not chosen by the administrator, and need not learn where the shop is.

use super::channel::Channel;
use super::email::Email;
#[cfg(feature = "nostr")]
use super::nostr::Nostr;
use super::ntfy::Ntfy;
use super::ways::Ways;
use super::webhook::{self, Webhook};
use crate::config::alerts::{self, WebUrl};
use crate::config::{Alerts, Secret, SecretSource};
use crate::domain::alert_channel::{ChannelKind, OwnChannel};
use crate::domain::alias;
use crate::web;

/// What is wrong with a channel: the field, and why.
type Wrong = (&'static str, String);

/// The channel, ready to be sent on.
pub fn open(channel: &OwnChannel, is_administrators: bool, config: &Alerts, ways: &Ways) -> Result<Channel, String> {
    check(channel, is_administrators, config).map_err(|(_, why)| why)?;
    let dial = if is_administrators { ways.tor.clone() } else { ways.public.clone() };
    let url = || WebUrl::Given(Secret::new(&channel.target));
    let secret = given(channel.secret.as_deref().unwrap_or_default());
    Ok(match channel.kind {
        ChannelKind::Email => {
            let config = config.email.clone().ok_or_else(|| NO_MAIL.to_owned())?;
            let dial = ways.choose(config.through_tor);
            Channel::Email(Email { dial, config: alerts::Email { to: vec![channel.target.clone()], ..config } })
        }
        ChannelKind::Ntfy => {
            let token = channel.token.as_deref().map(given);
            Channel::Ntfy(Ntfy { dial, config: alerts::Ntfy { url: url(), topic: secret, token, through_tor: true } })
        }
        ChannelKind::Webhook => {
            let config =
                alerts::Webhook { url: url(), secret, former_secret: None, certificate: None, through_tor: true };
            Channel::Webhook(Webhook { dial, config })
        }
        #[cfg(feature = "nostr")]
        ChannelKind::Nostr => {
            let config = config.nostr.clone().ok_or_else(|| NO_NOSTR.to_owned())?;
            let dial = ways.choose(config.through_tor);
            Channel::Nostr(Nostr { dial, config: alerts::Nostr { to: channel.target.clone(), ..config } })
        }
        #[cfg(not(feature = "nostr"))]
        ChannelKind::Nostr => return Err(NOT_BUILT_IN.to_owned()),
    })
}

const NO_MAIL: &str = "The shop has no mail server: an administrator names one under [alerts.email].";
const NO_NOSTR: &str = "The shop sends nothing over Nostr: an administrator names relays under [alerts.nostr].";
const NOT_BUILT_IN: &str = "This program was built without Nostr: `--features nostr` builds it in.";

/// What is longer is no address and no secret. Bytes.
const MOST_BYTES: usize = 500;

/// Whether this program, as it is built and configured, can send on channels of a kind.
pub fn needs(kind: ChannelKind, config: &Alerts) -> Result<(), &'static str> {
    match kind {
        ChannelKind::Email if config.email.is_none() => Err(NO_MAIL),
        ChannelKind::Nostr if !cfg!(feature = "nostr") => Err(NOT_BUILT_IN),
        ChannelKind::Nostr if config.nostr.is_none() => Err(NO_NOSTR),
        _ => Ok(()),
    }
}

/// Whether a channel can work, as far as that is seen without trying it.
pub fn check(channel: &OwnChannel, is_administrators: bool, config: &Alerts) -> Result<(), Wrong> {
    for (field, text) in
        [("target", Some(&channel.target)), ("secret", channel.secret.as_ref()), ("token", channel.token.as_ref())]
    {
        if text.is_some_and(|text| text.len() > MOST_BYTES) {
            return Err((field, format!("It has more than {MOST_BYTES} bytes.")));
        }
    }
    needs(channel.kind, config).map_err(|why| ("kind", why.to_owned()))?;
    match channel.kind {
        ChannelKind::Email => alerts::mailbox(&channel.target).map_err(|why| ("target", why)).map(drop),
        ChannelKind::Ntfy => {
            check_url(&channel.target, is_administrators)?;
            let topic = channel.secret.as_deref().unwrap_or_default();
            let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if topic.is_empty() || topic.len() > 64 || !topic.bytes().all(is_one) {
                let says = "The name of a topic: up to 64 letters, digits, - and _. Whoever knows it can read along.";
                return Err(("secret", says.to_owned()));
            }
            let is_token = |token: &str| token.bytes().all(|byte| byte.is_ascii_graphic());
            if channel.token.as_deref().is_some_and(|token| !is_token(token)) {
                return Err(("token", "The token has characters that none has.".to_owned()));
            }
            Ok(())
        }
        ChannelKind::Webhook => {
            check_url(&channel.target, is_administrators)?;
            let secret = given(channel.secret.as_deref().unwrap_or_default());
            webhook::key(&secret).map_err(|why| ("secret", why)).map(drop)
        }
        ChannelKind::Nostr => {
            let key = alias::public_key_bytes(&channel.target);
            key.ok_or_else(|| ("target", "It is no npub.".to_owned())).map(drop)
        }
    }
}

fn check_url(url: &str, is_administrators: bool) -> Result<(), Wrong> {
    let url = web::parse_private(url).map_err(|why| ("target", why))?;
    if !is_administrators && !web::may_be_public(url.host().unwrap_or_default()) {
        return Err(("target", web::NOT_PUBLIC.to_owned()));
    }
    Ok(())
}

fn given(secret: &str) -> SecretSource {
    SecretSource::Given(Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn channel(kind: ChannelKind, target: &str, secret: &str) -> OwnChannel {
        OwnChannel { kind, target: target.to_owned(), secret: Some(secret.to_owned()), token: None }
    }

    #[test]
    fn what_can_not_work_is_refused_by_its_field_and_no_secret_is_repeated() {
        use ChannelKind as K;
        let nothing = Alerts::default();
        for (channel, field) in [
            (channel(K::Email, "me@example.com", ""), "kind"),
            (channel(K::Nostr, "npub1", ""), "kind"),
            (channel(K::Ntfy, "http://ntfy.example", "topic"), "target"),
            (channel(K::Ntfy, "https://ntfy.example", "hunter2 hunter2"), "secret"),
            (channel(K::Ntfy, "https://ntfy.example", ""), "secret"),
            (channel(K::Webhook, "ntfy.example", SECRET), "target"),
            (channel(K::Webhook, "https://hook.example", "hunter2"), "secret"),
            (channel(K::Ntfy, "https://ntfy.example", &"hunter2".repeat(99)), "secret"),
        ] {
            let (wrong, why) = check(&channel, true, &nothing).unwrap_err();
            assert_eq!(wrong, field, "{channel:?}");
            assert!(!why.contains("hunter2"), "{why}");
        }
        assert_eq!(check(&channel(K::Ntfy, "https://ntfy.example", "my-topic"), false, &nothing), Ok(()));
        assert_eq!(check(&channel(K::Webhook, "https://hook.example", SECRET), false, &nothing), Ok(()));
    }

    #[test]
    fn what_the_shop_was_not_built_or_configured_for_is_not_offered() {
        let nothing = Alerts::default();
        let offered: Vec<_> = ChannelKind::ALL.into_iter().filter(|kind| needs(*kind, &nothing).is_ok()).collect();
        assert_eq!(offered, [ChannelKind::Ntfy, ChannelKind::Webhook]);
    }

    #[test]
    fn only_an_administrator_names_a_server_in_the_shops_own_network() {
        let nothing = Alerts::default();
        for near in ["http://127.0.0.1:8080/", "https://[::1]/", "https://192.168.1.1/", "https://localhost/"] {
            let channel = channel(ChannelKind::Webhook, near, SECRET);
            assert_eq!(check(&channel, true, &nothing), Ok(()), "{near}");
            assert_eq!(check(&channel, false, &nothing), Err(("target", web::NOT_PUBLIC.to_owned())), "{near}");
        }
    }
}
