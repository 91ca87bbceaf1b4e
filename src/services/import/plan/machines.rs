//! Hosts with their ports, the site, the deny list.

use std::collections::{BTreeMap, BTreeSet};

use super::super::dump::Reference;
use super::super::env::Env;
use super::super::old::{Old, OldHost, Range, Site};
use super::parts::{NewDenied, NewHost, Plan};
use super::people::People;
use crate::domain::address;
use crate::domain::deny_list::normalize;
use crate::domain::host::PortKind;
use crate::domain::host_rules;
use crate::domain::id::HostId;
use crate::domain::text::is_plain_text;
use crate::services::hosts::manage::hash_token;

/// The longest comment of a deny list. Characters.
const MAX_COMMENT: usize = 140;

/// Takes the hosts over with their ids, tokens and ports.
pub fn take_hosts(old: &Old, people: &People<'_>, env: &Env, plan: &mut Plan) {
    let mut tokens = BTreeSet::new();
    for found in &old.hosts {
        let Some(owner) = people.operator(found.owner.as_ref()) else {
            plan.wrong.push(format!("{}: its owner is not in the dump", found.key));
            continue;
        };
        let mut host = found.host.clone();
        host.owner_id = owner;
        host.grace_secs = env.grace_secs;
        match address::ip(&host.ip).filter(|ip| address::is_of_one_machine(*ip)) {
            Some(ip) => host.ip = ip.to_canonical().to_string(),
            None => plan.wrong.push(format!("{}: {:?} is the address of no machine", found.key, host.ip)),
        }
        let errors = host_rules::errors(&host);
        if !errors.is_empty() {
            host.is_enabled = false;
            let list: Vec<_> = errors
                .iter()
                .map(|(field, messages)| {
                    format!("{field}: {}", messages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
                })
                .collect();
            plan.ledger.ask(format!(
                "host {} sells nothing until this is right: {}. See `host set --help`",
                host.name,
                list.join("; ")
            ));
        }
        let token = token(old, people, found).filter(|token| tokens.insert(token.clone()));
        if token.is_none() {
            plan.ledger.ask(format!("host {} has no token: `host rotate-token {}`", host.name, host.id));
        }
        plan.ledger.take(&found.key, format!("host {} at {}", host.name, host.ip));
        let token_hash = token.as_deref().map(hash_token);
        plan.hosts.push(NewHost { host, token_hash, ranges: Vec::new() });
    }
    for (key, _) in &old.tokens {
        match tokens.contains(&key.pk) {
            true => plan.ledger.take(key, "the token of its host, as a hash"),
            false => plan.ledger.drop(key, "it is no host's token"),
        }
    }
    for range in &old.ranges {
        take_range(range, plan);
    }
}

fn token(old: &Old, people: &People<'_>, host: &OldHost) -> Option<String> {
    let user = people.find(host.token_user.as_ref()?)?;
    let is_theirs = |reference: &Option<Reference>| {
        reference.as_ref().and_then(|reference| people.find(reference)).is_some_and(|found| found.key == user.key)
    };
    old.tokens.iter().find(|(_, reference)| is_theirs(reference)).map(|(key, _)| key.pk.clone())
}

fn take_range(range: &Range, plan: &mut Plan) {
    let ports = u16::try_from(range.first).ok().zip(u16::try_from(range.last).ok());
    let Some((first, last)) = ports.filter(|(first, last)| *first > 0 && first <= last) else {
        plan.wrong.push(format!("{}: {}-{} is no range of ports", range.key, range.first, range.last));
        return;
    };
    let Some(at) = plan.hosts.iter().position(|new| new.host.id == range.host) else {
        plan.wrong.push(format!("{}: its host is not in the dump", range.key));
        return;
    };
    let ip = plan.hosts[at].host.ip.clone();
    let others = plan.hosts.iter().filter(|other| other.host.ip == ip);
    let mut taken = others.flat_map(|other| other.ranges.iter().map(move |range| (&other.host.name, range)));
    if let Some((name, (_, start, end))) = taken.find(|(_, (_, start, end))| *start <= last && first <= *end) {
        let text = format!("{}: {first}-{last} overlaps {start}-{end} of host {name} at {ip}", range.key);
        plan.wrong.push(format!("{text}; shorten one of them in the old shop, or in the dump"));
        return;
    }
    let kind = range.kind.unwrap_or(PortKind::TorBridge);
    let untold = if range.kind.is_none() { ", whose kind was never said" } else { "" };
    plan.ledger.take(&range.key, format!("ports {first}-{last} of host {}{untold}", plan.hosts[at].host.name));
    plan.hosts[at].ranges.push((kind, first, last));
}

/// Ports that the old shop's records hold for what is not there any more are free here, and forwards may stand at them.
pub fn tell_of_leftover_ports(old: &Old, plan: &mut Plan) {
    let sold: BTreeSet<(HostId, i64)> =
        plan.products.iter().filter_map(|product| Some((product.host_id, product.port?.into()))).collect();
    for range in &old.ranges {
        let left: Vec<String> =
            range.used.iter().filter(|port| !sold.contains(&(range.host, **port))).map(ToString::to_string).collect();
        if !left.is_empty() {
            plan.ledger.ask(format!(
                "{}: nothing is sold at the ports {} that it holds; they are free here. Look that no forward is left \
                 on the host at them",
                range.key,
                left.join(", ")
            ));
        }
    }
}

/// The site that most hosts belong to is the shop's: all hosts belong to one here.
pub fn take_site(old: &Old, plan: &mut Plan) {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for reference in old.hosts.iter().filter_map(|host| host.site.as_ref()) {
        let is_meant = |site: &Site| match reference {
            Reference::Name(name) => site.domain == *name,
            Reference::Number(number) => site.key.pk == number.to_string(),
        };
        if let Some(place) = old.sites.iter().position(is_meant) {
            *counts.entry(place).or_default() += 1;
        }
    }
    let first = (!old.sites.is_empty()).then_some(0);
    let chosen = counts.iter().max_by_key(|(place, count)| (**count, usize::MAX - **place)).map(|(place, _)| *place);
    let chosen = chosen.or(first);
    for (place, site) in old.sites.iter().enumerate() {
        let (domain, name) = (site.domain.trim(), site.name.trim());
        if Some(place) != chosen {
            plan.ledger.drop(&site.key, "a shop has one site, and most hosts belong to another");
        } else if crate::services::site::fits(domain, name) {
            plan.ledger.take(&site.key, format!("the site {domain}"));
            plan.site = Some((domain.to_owned(), name.to_owned()));
        } else {
            plan.ledger.drop(&site.key, "its domain or name can't be one here: `site set`");
            plan.ledger.ask("give the shop a domain and a name: `site set --help`");
        }
    }
}

/// Takes the deny list over; of entries that are one here the strictest counts.
pub fn take_denied(old: &Old, plan: &mut Plan) {
    for entry in &old.denied {
        let Some((kind, value)) = &entry.subject else {
            entry.keys.iter().for_each(|key| plan.ledger.drop(key, "it does not say what it is about"));
            continue;
        };
        let value = match normalize(*kind, value) {
            Ok(value) => value,
            Err(problem) => {
                entry.keys.iter().for_each(|key| plan.ledger.drop(key, problem.to_string()));
                if entry.status.denies() {
                    plan.ledger.ask(format!("{value:?} was denied and is not here: {problem}"));
                }
                continue;
            }
        };
        let what = format!("deny list: {value} {}", entry.status.name());
        entry.keys.iter().for_each(|key| plan.ledger.take(key, what.clone()));
        let is_plain = is_plain_text(&entry.comment);
        let comment: String = if is_plain { entry.comment.chars().take(MAX_COMMENT).collect() } else { String::new() };
        let new = NewDenied { kind: *kind, value, status: entry.status, comment };
        match plan.denied.iter_mut().find(|known| known.kind == new.kind && known.value == new.value) {
            Some(known) if known.status >= new.status => {}
            Some(known) => *known = new,
            None => plan.denied.push(new),
        }
    }
}
