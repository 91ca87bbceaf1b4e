//! Watching hosts: a dead one with paid products is told to the operator and costs its buyers no
//! time; one with few ports left is told as well.

use crate::domain::alert::AlertTopic;
use crate::domain::host::{ALIVE_SECS, CHECK_IN_HELLO, Host, PortKind};
use crate::domain::id::ProductId;
use crate::domain::product::{Product, Subject};
use crate::domain::time::Timestamp;
use crate::services::deals::change_product;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx, left_out};
use crate::store::{Connection, alerts, hosts, outages, products, reservations};

/// Fewer free bridge ports than this are told, unless the host's ranges are that small.
const FEW_PORTS: u32 = 5;
/// A product that is to be taken down for so long is told, if its host checks in. Seconds.
const STUCK_SECS: i64 = 3600;
/// A host that was away has so long to do what it has missed, from the first look at which it is back. It must be less
/// than a single check-in makes a host count as alive, less the time between two looks: one that comes and goes is told
/// of all the same. Seconds.
const BACK_SECS: i64 = 120;

/// What a look at all hosts found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Hosts that are alive.
    pub alive: usize,
    /// Hosts that are not.
    pub dead: usize,
}

/// Looks at every host once. What is found of all of them is stored together, since they often go and come back together;
/// where that fails, each is looked at alone.
pub async fn look(shop: &Shop) -> Result<Watched, Error> {
    let hosts = shop.db.read(|db| hosts::list(db, None))?;
    let alive = hosts.iter().filter(|host| host.is_alive(shop.now())).count();
    let watched = Watched { alive, dead: hosts.len() - alive };
    match look_at(shop, hosts.clone()).await {
        Err(error) if left_out::is_its_own(&error) => {
            for host in hosts {
                look_alone(shop, host).await?;
            }
        }
        looked => looked?,
    }
    tell_stuck(shop).await?;
    Ok(watched)
}

async fn look_alone(shop: &Shop, host: Host) -> Result<(), Error> {
    let id = host.id;
    match look_at(shop, vec![host]).await {
        Err(error) if left_out::is_its_own(&error) => left_out::tell(shop, id, "watching a host", &error).await,
        looked => looked?,
    }
    Ok(())
}

async fn look_at(shop: &Shop, hosts: Vec<Host>) -> Result<(), Error> {
    let inner = shop.clone();
    shop.tx(&Principal::Shop, move |tx| {
        for host in &hosts {
            let is_alive = host.is_alive(tx.now);
            few_ports(tx, host)?;
            hosts::note_alive(tx.db, host.id, is_alive, tx.now)?;
            if is_alive { back(&inner, tx, host)? } else { dead(tx, host)? }
        }
        left_out::forget(tx, hosts.iter().map(|host| host.id))
    })
    .await
}

/// Products that their hosts do not report as taken down, although they check in: a host's scripts say nothing of a
/// forward that they do not find, so the port would never be free again.
pub fn stuck(db: &Connection, now: Timestamp) -> Result<Vec<Product>, Error> {
    let back = now.plus_secs(-BACK_SECS);
    let mut stuck = Vec::new();
    for product in products::suspending_since_before(db, now.plus_secs(-STUCK_SECS))? {
        if hosts::alive_since(db, product.host_id)?.is_some_and(|since| since <= back) {
            stuck.push(product);
        }
    }
    Ok(stuck)
}

/// Each is told once: a look that finds nothing new writes nothing.
async fn tell_stuck(shop: &Shop) -> Result<(), Error> {
    let now = shop.now();
    let news = shop.db.read(|db| untold(db, stuck(db, now)?))?;
    if news.is_empty() {
        return Ok(());
    }
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        for product in &news {
            let text = stuck_text(product, hosts::get_any(db, product.host_id)?.as_ref());
            alerts::raise(db, AlertTopic::StuckSuspension, &product.id.to_string(), &text, now)?;
        }
        Ok(())
    })
    .await
}

fn untold(db: &Connection, mut stuck: Vec<Product>) -> Result<Vec<Product>, Error> {
    if stuck.is_empty() {
        return Ok(stuck);
    }
    let open = alerts::list(db, false)?;
    let told: Vec<&str> = open
        .iter()
        .filter(|alert| alert.topic == AlertTopic::StuckSuspension)
        .map(|alert| alert.subject.as_str())
        .collect();
    // More than an alert of their own are counted in one.
    stuck.retain(|product| !told.contains(&product.id.to_string().as_str()) && !told.contains(&""));
    Ok(stuck)
}

fn stuck_text(product: &Product, host: Option<&Host>) -> String {
    let name = host.map_or("?", |host| host.name.as_str());
    let what = match (&product.subject, product.port) {
        (Subject::Alias { alias, .. }, _) => format!("alias {alias}"),
        (_, Some(port)) => format!("port {port}"),
        _ => "a port".to_owned(),
    };
    format!(
        "Host {name} was told to take {what} down more than {} minutes ago, checks in, and does not say that it has. See on \
         the host whether it is gone; then give it back: `bridge release {}`",
        STUCK_SECS / 60,
        product.id
    )
}

fn dead(tx: &Tx<'_>, host: &Host) -> Result<(), Error> {
    let (db, now) = (tx.db, tx.now);
    let since = host.ci_date.map_or(now, |date| date.plus_secs(ALIVE_SECS)).min(now);
    outages::open(db, host.id, since)?;
    if outages::any_open(db, host.id)? {
        let text = format!("Host {} ({}) {}, and products on it are paid for.", host.name, host.ip, last_word(host));
        alerts::raise(db, AlertTopic::HostDead, &host.id.to_string(), &text, now)?;
    }
    Ok(())
}

/// What is known of a host that is not alive.
fn last_word(host: &Host) -> String {
    match (host.ci_date, host.ci_status) {
        (None, _) => "has never checked in".to_owned(),
        (Some(date), CHECK_IN_HELLO) => format!("has not checked in since {date}"),
        (Some(date), _) => format!("said goodbye at {date}"),
    }
}

fn back(shop: &Shop, tx: &mut Tx<'_>, host: &Host) -> Result<(), Error> {
    let db = tx.db;
    let now = tx.now;
    for (id, product, since) in outages::list_open(db, host.id)? {
        let credited = credit(shop, tx, product, since)?;
        outages::close(db, id, now, credited)?;
    }
    Ok(alerts::close(db, AlertTopic::HostDead, &host.id.to_string(), now)?)
}

fn credit(shop: &Shop, tx: &mut Tx<'_>, product: ProductId, since: Timestamp) -> Result<i64, Error> {
    if !shop.settings.credit_outages {
        return Ok(0);
    }
    change_product(shop, tx, product, |deal, now| Ok(deal.credit_outage(since, now)))
}

fn few_ports(tx: &Tx<'_>, host: &Host) -> Result<(), Error> {
    let (db, now) = (tx.db, tx.now);
    let subject = host.id.to_string();
    let total: u32 = hosts::ranges(db, host.id)?
        .iter()
        .filter(|range| range.kind == PortKind::TorBridge)
        .map(|range| range.free() + range.used)
        .sum();
    let free = reservations::free_ports(db, host, PortKind::TorBridge)?;
    if host.is_enabled && !host.is_draining && host.offers_tor_bridges && free < FEW_PORTS.min(total) {
        let text = format!("Host {} has {free} of {total} bridge ports left.", host.name);
        alerts::raise(db, AlertTopic::FewPorts, &subject, &text, now)?;
        return Ok(());
    }
    Ok(alerts::close(db, AlertTopic::FewPorts, &subject, now)?)
}
