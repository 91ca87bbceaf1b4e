//! What directories and clients read of the shop by themselves: `/.well-known/ip2tor.json`.

use http::{HeaderValue, StatusCode, header};
use poem::Response;
use serde_json::{Value, json};

use super::visit::Visit;
use crate::domain::host::Host;
use crate::domain::money::Msat;
use crate::http::problem::Problem;
use crate::http::response::json_response;
use crate::services::Error;
use crate::services::onion_address::{self, Service};

/// The form of the document; a client that knows no other may ignore what it does not know.
const VERSION: u32 = 1;

/// The document.
pub fn show(visit: &Visit) -> Result<Response, Problem> {
    let shop = &visit.app.shop;
    let (catalog, now) = (visit.app.catalog.get(shop)?, shop.now());
    let onion = shop.db.read(|db| onion_address::remembered(db, Service::Public).map_err(Error::from))?;
    let branding = &visit.app.branding;
    let hosts: Vec<Value> =
        catalog.hosts.iter().filter(|public| public.is_public(now)).map(|public| host(&public.host)).collect();
    let mut response = json_response(
        StatusCode::OK,
        &json!({
            "version": VERSION,
            "name": branding.name.as_ref().unwrap_or(&catalog.site.name),
            "onion": onion.map(|address| format!("http://{address}")),
            "abuse_contact": branding.abuse_contact,
            "api": "/api/v1/",
            "hosts": hosts,
        }),
    );
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

fn host(host: &Host) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "id": host.id.to_string(),
        "name": host.name,
        "ip": host.ip,
        "is_test_host": host.is_test_host,
        "is_testnet": host.is_testnet,
        "tor_bridge": host.offers_tor_bridges.then(|| {
            offer(host, host.tor_bridge_price_initial, host.tor_bridge_price_extension, host.tor_bridge_duration)
        }),
        "nostr_alias": host.offers_nostr_aliases.then(|| {
            offer(host, host.nostr_alias_price_initial, host.nostr_alias_price_extension, host.nostr_alias_duration)
        }),
        "terms_url": text(&host.terms_of_service_url),
        "abuse_contact": text(&host.abuse_contact),
    })
}

fn offer(host: &Host, first: Msat, more: Msat, duration_secs: i64) -> Value {
    json!({
        "price_initial_msat": first.0,
        "price_extension_msat": more.0,
        "duration_secs": duration_secs,
        "max_periods": if duration_secs == 0 { 1 } else { host.max_periods },
    })
}
