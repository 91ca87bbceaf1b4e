//! What is told of alerts outside of the shop. That something is to be told is written down with the alert itself (V19);
//! here several changes become one message, and what became of it is noted. How it is carried is the business of
//! [`crate::notify`].

use super::hosts::{catalog, visible};
use super::own_channels::{self, Destination};
use super::{Error, ReadTx, Tx, authz, clock, dashboard, reports};
use crate::domain::alert::{AlertTopic, Severity};
use crate::domain::alert_channel::QuietRule;
use crate::domain::alert_message::{Message, MessageKind, News, compose, pause};
use crate::domain::id::Random;
use crate::domain::principal::Principal;
use crate::domain::quiet_hours::QuietHours;
use crate::domain::time::Timestamp;
use crate::store::{alert_channels, alert_messages, alerts, day_totals, meta, order_lists};

pub use crate::store::alert_messages::Waiting;
use own_channels::ChannelState;

/// With so many messages that were not taken, what comes new waits until one was, or was given up.
const MOST_MESSAGES: u32 = 20;
/// So many changes wait for a channel, and so many with the critical ones; the triggers (V21) say the same.
const MOST_NEWS: (usize, usize) = (200, 400);
/// A channel that has failed so often in a row with a message is told of on the others.
const FAILURES_TO_TELL: u32 = 3;
/// The month whose summary was told last, `YYYY-MM`.
const TOLD_MONTH: &str = "summary_of_month";

/// When changes become a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// So long others may join the first. Seconds.
    pub group_secs: i64,
    /// When only what can't wait is told.
    pub quiet: Option<QuietHours>,
}

/// Why a message was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// One line; never with a secret.
    pub text: String,
    /// Its receiver asks for so much time. Seconds.
    pub retry_after_secs: Option<i64>,
    /// Its receiver wants no more, ever.
    pub is_final: bool,
}

/// Makes these the channels, each with the least urgency that it is told of.
///
/// # Errors
/// Those of the database.
pub fn set_channels(tx: &Tx<'_>, channels: &[(&'static str, Severity)]) -> Result<(), Error> {
    authz::needs_administrator(tx.actor)?;
    Ok(alert_channels::set(tx.db, channels)?)
}

/// A channel, as whoever sends on it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its name.
    pub name: String,
    /// When changes become a message.
    pub rules: Rules,
    /// Where it leads; `None` for one of the configuration.
    pub own: Option<Destination>,
}

/// The channels that are to be sent on; `rules` are those of the configuration.
///
/// # Errors
/// Those of the database.
pub fn served(tx: &ReadTx<'_>, rules: Rules) -> Result<Vec<Served>, Error> {
    let mut all = Vec::new();
    for ChannelState { name, own, .. } in alert_channels::list(tx.db)? {
        let Some(own) = own else {
            all.push(Served { name, rules, own: None });
            continue;
        };
        if let Some(destination) = own_channels::destination(tx, &own)? {
            let rules = Rules { quiet: own.quiet.map_or(rules.quiet, QuietRule::hours), ..rules };
            all.push(Served { name, rules, own: Some(destination) });
        }
    }
    Ok(all)
}

/// Whether something was written down for a channel that may not be the business of its owner.
///
/// # Errors
/// Those of the database.
pub fn is_unsorted(tx: &ReadTx<'_>, channel: &str) -> Result<bool, Error> {
    Ok(!alert_messages::news(tx.db, channel, false)?.is_empty())
}

/// Takes out what was written down for a channel and does not concern its owner, or finds no room.
///
/// # Errors
/// Those of the database.
pub fn sort(tx: &Tx<'_>, channel: &str) -> Result<(), Error> {
    let own = alert_channels::get(tx.db, channel)?.and_then(|state| state.own);
    let owner = own.map(|own| own_channels::owner(tx, &own)).transpose()?.flatten();
    // Who may not sign in is told nothing.
    let look = ReadTx { actor: owner.as_ref().unwrap_or(&Principal::Buyer), ..**tx };
    let mut room = alert_messages::news(tx.db, channel, true)?.len();
    for (id, news) in alert_messages::news(tx.db, channel, false)? {
        if !dashboard::concerns(&look, news.topic, &news.subject)? {
            alert_messages::remove_news(tx.db, std::iter::once(id))?;
            continue;
        }
        let most = if news.severity == Severity::Critical { MOST_NEWS.1 } else { MOST_NEWS.0 };
        if room < most {
            alert_messages::keep(tx.db, id)?;
            room += 1;
        } else {
            alert_messages::remove_news(tx.db, std::iter::once(id))?;
            alert_channels::leave_out(tx.db, channel, u32::from(!news.is_end))?;
        }
    }
    Ok(())
}

/// Whether it is time to make a message of what has changed.
///
/// # Errors
/// Those of the database.
pub fn is_ready(tx: &ReadTx<'_>, channel: &str, rules: Rules) -> Result<bool, Error> {
    Ok(!ready(tx, channel, rules)?.is_empty())
}

/// Makes a message of what has changed, if it is time.
///
/// # Errors
/// Those of the database.
pub fn group(tx: &Tx<'_>, channel: &str, rules: Rules, random: &dyn Random) -> Result<(), Error> {
    let found = ready(tx, channel, rules)?;
    if found.is_empty() {
        return Ok(());
    }
    let (ids, news): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let left_out = alert_channels::take_left_out(tx.db, channel)?;
    let (severity, title, text) = compose(&catalog::site(tx.db)?.name, &news, left_out);
    let message = new_message(random, MessageKind::Alert, severity, title, text, tx.now);
    alert_messages::add(tx.db, channel, &message)?;
    Ok(alert_messages::remove_news(tx.db, ids.into_iter())?)
}

fn ready(tx: &ReadTx<'_>, channel: &str, rules: Rules) -> Result<Vec<(i64, News)>, Error> {
    let mut found = alert_messages::news(tx.db, channel, true)?;
    if rules.quiet.is_some_and(|quiet| quiet.contains(tx.now)) {
        found.retain(|(_, news)| news.can_not_wait());
    }
    let waits = found.iter().all(|(_, news)| news.at.is_within(rules.group_secs, tx.now));
    if waits || alert_messages::count(tx.db, channel)? >= MOST_MESSAGES {
        found.clear();
    }
    Ok(found)
}

/// A message of `kind`, under a new key.
pub fn new_message(
    random: &dyn Random,
    kind: MessageKind,
    severity: Severity,
    title: String,
    text: String,
    made_at: Timestamp,
) -> Message {
    Message { key: format!("msg_{}", random.uuid().simple()), kind, severity, title, text, made_at }
}

/// What somebody who may try a channel ([`own_channels::to_test`]) sends.
///
/// # Errors
/// Those of the database.
pub fn test_message(tx: &ReadTx<'_>, random: &dyn Random) -> Result<Message, Error> {
    let title = format!("{}: a test", catalog::site(tx.db)?.name);
    let text = "Alerts of the shop arrive here. Nothing is wrong: somebody tries this channel.".to_owned();
    Ok(new_message(random, MessageKind::Test, Severity::Info, title, text, tx.now))
}

/// The message of a channel that is to be tried now.
///
/// # Errors
/// Those of the database.
pub fn due(tx: &ReadTx<'_>, channel: &str) -> Result<Option<Waiting>, Error> {
    Ok(alert_messages::due(tx.db, channel, tx.now)?)
}

/// Notes how a try at a message ended: it is through, tried again, or given up.
///
/// # Errors
/// Those of the database.
pub fn note(tx: &Tx<'_>, channel: &str, waiting: &Waiting, outcome: &Result<(), Refusal>) -> Result<(), Error> {
    let Err(refusal) = outcome else {
        alert_messages::remove(tx.db, waiting.id)?;
        return has_sent(tx, channel);
    };
    let failures = waiting.attempts + 1;
    alert_channels::has_failed(tx.db, channel, &refusal.text, tx.now)?;
    let label = own_channels::label(tx, channel)?;
    if refusal.is_final {
        alert_channels::switch_off(tx.db, channel, tx.now)?;
        let says = format!(
            "{label} wants no more messages ({}): it is off. A test (in the admin, or for channels of the configuration \
             `ip2tor-shop alerts test {channel}`) switches it on again once it takes one",
            refusal.text
        );
        return Ok(alerts::raise(tx.db, AlertTopic::Undelivered, channel, &says, tx.now).map(drop)?);
    }
    let again = pause(failures, refusal.retry_after_secs);
    match again {
        Some(secs) => alert_messages::postpone(tx.db, waiting.id, tx.now.plus_secs(secs))?,
        None => alert_messages::remove(tx.db, waiting.id)?,
    }
    if failures >= FAILURES_TO_TELL {
        let lost = if again.is_none() { ", and a message was given up" } else { "" };
        let says = format!("{label} does not take messages{lost}: {}", refusal.text);
        alerts::raise(tx.db, AlertTopic::Undelivered, channel, &says, tx.now)?;
    }
    Ok(())
}

/// Notes how a test of a channel ended; one that went well switches it on.
///
/// # Errors
/// [`Error::NotFound`] for a channel of somebody else.
pub fn note_test(tx: &Tx<'_>, channel: &str, outcome: &Result<(), Refusal>) -> Result<(), Error> {
    if authz::needs_administrator(tx.actor).is_err() {
        own_channels::find(tx, channel)?;
    }
    match outcome {
        Ok(()) => has_sent(tx, channel)?,
        Err(refusal) => alert_channels::has_failed(tx.db, channel, &refusal.text, tx.now)?,
    }
    tx.record("alert_channel", channel, if outcome.is_ok() { "tested: it works" } else { "tested: it fails" })
}

fn has_sent(tx: &Tx<'_>, channel: &str) -> Result<(), Error> {
    alert_channels::has_sent(tx.db, channel, tx.now)?;
    Ok(alerts::close(tx.db, AlertTopic::Undelivered, channel, tx.now)?)
}

/// Sends what the month before this one has brought to each channel, once; answers with what was done. An operator is
/// told of their own hosts. A month in which nothing was sold is told as well, but not the one before the shop began.
///
/// # Errors
/// Those of the database.
pub fn summarize(tx: &Tx<'_>, random: &dyn Random) -> Result<String, Error> {
    authz::needs_administrator(tx.actor)?;
    if clock::read(tx.db, tx.now)?.is_behind {
        return Ok("skipped: the clock is wrong".to_owned());
    }
    let channels: Vec<_> = alert_channels::list(tx.db)?.into_iter().filter(|state| state.off_at.is_none()).collect();
    if channels.is_empty() {
        return Ok("there is no channel to tell it on".to_owned());
    }
    let first = day_totals::month_before(tx.db, day_totals::day_of(tx.now))?;
    let month: String = Timestamp::from_secs(first * 86_400).to_wire().chars().take(7).collect();
    let told = meta::text(tx.db, TOLD_MONTH)?;
    if told.as_deref() == Some(&month) {
        return Ok(format!("{month} was told before"));
    }
    meta::set_text(tx.db, TOLD_MONTH, &month)?;
    if told.is_none() && totals_of(tx, first)?.is_empty() {
        return Ok(format!("nothing is known of {month}"));
    }
    let title = format!("{}: summary of {month}", catalog::site(tx.db)?.name);
    let mut count = 0;
    for channel in &channels {
        let owner = match &channel.own {
            Some(own) => own_channels::owner(tx, own)?,
            None => Some(Principal::Shop),
        };
        let Some(owner) = owner else { continue };
        let text = summary(&ReadTx { actor: &owner, ..**tx }, first)?;
        let message = new_message(random, MessageKind::Summary, Severity::Info, title.clone(), text, tx.now);
        alert_messages::add(tx.db, &channel.name, &message)?;
        count += 1;
    }
    Ok(format!("{month} told on {count} channels"))
}

/// The sums of the month that begins with the day `first`, as far as the one who asks may see them.
fn totals_of(tx: &ReadTx<'_>, first: i64) -> Result<Vec<reports::Total>, Error> {
    let mut totals = reports::by_month(tx, Some(Timestamp::from_secs(first * 86_400)))?;
    totals.retain(|total| total.day == first);
    Ok(totals)
}

fn summary(tx: &ReadTx<'_>, first: i64) -> Result<String, Error> {
    let totals = totals_of(tx, first)?;
    let (owing, owed) = order_lists::owed(tx.db, visible::hosts_of(tx, None)?.as_deref())?;
    let open = dashboard::open_alerts(tx)?;
    let sum = |of: fn(&reports::Total) -> i64| totals.iter().map(of).sum::<i64>();
    let sat = |msat: i64| msat / 1000;
    let mut lines = vec![
        format!("Sold: {}, extended: {}", sum(|total| total.sold), sum(|total| total.extended)),
        format!("Taken: {} sat", sat(sum(|total| total.received))),
        format!("Paid back: {} sat, fees: {} sat", sat(sum(|total| total.refunded)), sat(sum(|total| total.fees))),
    ];
    for total in totals.iter().filter(|total| !total.currency.is_empty()) {
        let money = |hundredths: i64| format!("{:.2}", hundredths as f64 / 10_000.0);
        let (taken, back) = (money(total.fiat), money(total.fiat_refunded));
        lines.push(format!("In {}: taken {taken}, paid back {back}", total.currency));
    }
    lines.push(format!("Owed now: {} sat in {owing} orders", owed / 1000));
    lines.push(format!("Open alerts now: {open}"));
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests;
