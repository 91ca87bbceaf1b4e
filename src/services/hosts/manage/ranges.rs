//! The port ranges of a host: no two of one IP address may overlap, and ports in use outlive their
//! range.

use crate::domain::host::{Host, PortKind, PortRange};
use crate::domain::texts::Reason;
use crate::services::Error;
use crate::store::{Connection, hosts};

/// Ports for one kind of product, both ends included.
pub type Span = (PortKind, u16, u16);

/// Makes `spans` the ranges of `host` for the kinds that occur in it, and returns what changed. A
/// range that stays keeps its row, so that nothing changes for the ports in it.
pub fn replace(db: &Connection, host: &Host, spans: &[Span]) -> Result<Vec<String>, Error> {
    check_spans(spans)?;
    let kinds: Vec<PortKind> = spans.iter().map(|span| span.0).collect();
    let same = |range: &PortRange, span: &Span| (range.kind, range.first, range.last) == *span;
    let old = hosts::ranges(db, host.id)?;
    let mut changed = Vec::new();
    for range in old.iter().filter(|range| kinds.contains(&range.kind)) {
        if !spans.iter().any(|span| same(range, span)) {
            hosts::remove_range(db, range.id)?;
            changed.push(format!("range {} removed", named(range.kind, range.first, range.last)));
        }
    }
    for &span in spans.iter().filter(|span| !old.iter().any(|range| same(range, span))) {
        changed.push(add(db, host, span)?);
    }
    Ok(changed)
}

/// Gives a host one more range; the others stay.
pub fn add(db: &Connection, host: &Host, span: Span) -> Result<String, Error> {
    check_spans(&[span])?;
    let (kind, first, last) = span;
    let range = PortRange { id: 0, host_id: host.id, kind, first, last, used: 0 };
    refuse_overlap(db, host, &range)?;
    hosts::add_range(db, &range)?;
    hosts::adopt_ports(db, &host.ip, host.id, first)?;
    Ok(format!("range {} added", named(kind, first, last)))
}

/// Takes a range from a host; ports in use in it stay in use.
pub fn remove(db: &Connection, host: &Host, id: i64) -> Result<String, Error> {
    let range = hosts::ranges(db, host.id)?.into_iter().find(|range| range.id == id).ok_or(Error::NotFound)?;
    hosts::remove_range(db, range.id)?;
    Ok(format!("range {} removed", named(range.kind, range.first, range.last)))
}

/// After a host's address changed from `former`: its ranges must be free there, and its ports move
/// along.
pub fn move_ports(db: &Connection, host: &Host, former: &str) -> Result<(), Error> {
    for range in hosts::ranges(db, host.id)? {
        refuse_overlap(db, host, &range)?;
    }
    if hosts::move_places(db, host.id, former, &host.ip)? {
        Ok(())
    } else {
        Err(Error::field("ip", Reason::PortsTaken { ip: host.ip.clone() }))
    }
}

fn check_spans(spans: &[Span]) -> Result<(), Error> {
    let wrong = spans.iter().find(|(_, first, last)| *first == 0 || first > last);
    match wrong {
        Some((kind, first, last)) => Err(Error::field(field_of(*kind), Reason::NoRange { first: *first, last: *last })),
        None => Ok(()),
    }
}

fn refuse_overlap(db: &Connection, host: &Host, range: &PortRange) -> Result<(), Error> {
    let others = hosts::ranges_on_ip(db, &host.ip)?;
    let Some(other) = others.iter().find(|other| other.id != range.id && other.overlaps(range)) else {
        return Ok(());
    };
    let whose = if other.host_id == host.id {
        None
    } else {
        let name = hosts::get(db, other.host_id)?.map_or_else(String::new, |host| host.name);
        Some(format!("{name} ({})", other.host_id))
    };
    let (range, field) = ((range.first, range.last), field_of(range.kind));
    let other = (other.first, other.last);
    Err(Error::field(field, Reason::RangeOverlaps { range, other, host: whose, ip: host.ip.clone() }))
}

/// The field, and so the flag, that sets the ranges of a kind.
const fn field_of(kind: PortKind) -> &'static str {
    match kind {
        PortKind::TorBridge => "port_range",
        PortKind::RsshTunnel => "tunnel_port_range",
    }
}

fn named(kind: PortKind, first: u16, last: u16) -> String {
    format!("{} {first}-{last}", kind.letter())
}
