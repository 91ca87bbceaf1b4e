//! The hosts that can be ordered from.

use poem_openapi::OpenApi;

use crate::domain::id::HostId;
use crate::domain::texts::Message;
use crate::http::contract::answer::{ReadResult, Reply};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::host::PublicHostView;
use crate::http::contract::extract::{Id, Query};
use crate::http::contract::tag::Tag;
use crate::http::problem::Problem;
use crate::services::hosts::catalog::PublicHost;

/// The public host list.
pub struct Hosts;

#[OpenApi(prefix_path = "/api/v1/public", tag = "Tag::Public")]
impl Hosts {
    /// Hosts that can be ordered from
    ///
    /// In the order of their IP addresses. Filters are exact; values that are no truth value are
    /// ignored.
    #[oai(path = "/hosts/", method = "get", operation_id = "public_hosts_list")]
    #[allow(clippy::too_many_arguments)]
    async fn list(
        &self,
        call: &RequestContext,
        id: Query,
        is_testnet: Query,
        is_test_host: Query,
        offers_tor_bridges: Query,
        offers_rssh_tunnels: Query,
        offers_nostr_aliases: Query,
    ) -> ReadResult<Reply<Vec<PublicHostView>>> {
        let id = match id.0.as_deref().filter(|id| !id.is_empty()) {
            Some(text) => Some(HostId::parse(text).ok_or_else(|| Problem::field("id", Message::EnterUuid))?),
            None => None,
        };
        let wanted = [is_testnet, is_test_host, offers_tor_bridges, offers_rssh_tunnels, offers_nostr_aliases]
            .map(|parameter| parameter.0.as_deref().and_then(truth));
        let fits = |public: &&PublicHost| {
            let host = &public.host;
            let own = [
                host.is_testnet,
                host.is_test_host,
                host.offers_tor_bridges,
                host.offers_rssh_tunnels,
                host.offers_nostr_aliases,
            ];
            id.is_none_or(|id| id == host.id)
                && wanted.iter().zip(own).all(|(wanted, own)| wanted.is_none_or(|wanted| wanted == own))
        };
        let now = call.shop().now();
        let catalog = call.app.catalog.get(call.shop())?;
        let shown = catalog.hosts.iter().filter(|host| host.is_public(now)).filter(fits);
        Ok(Reply(shown.map(|host| PublicHostView::new(host, &catalog.site, now)).collect()))
    }

    /// A host that can be ordered from
    ///
    /// A host that is disabled or misses its check-ins is not found.
    #[oai(path = "/hosts/:id/", method = "get", operation_id = "public_hosts_read")]
    async fn read(&self, call: &RequestContext, #[oai(name = "id")] _id: Id) -> ReadResult<Reply<PublicHostView>> {
        let id = call.id(HostId::parse)?;
        let now = call.shop().now();
        let catalog = call.app.catalog.get(call.shop())?;
        let host = catalog.hosts.iter().find(|public| public.host.id == id && public.is_public(now));
        Ok(Reply(PublicHostView::new(host.ok_or_else(Problem::not_found)?, &catalog.site, now)))
    }
}

/// The truth values of filters; everything else is ignored.
fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}
