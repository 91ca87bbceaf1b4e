//! A host's own record, and its check-ins.

use std::net::IpAddr;

use poem_openapi::OpenApi;

use crate::domain::host::Host;
use crate::domain::host_rules;
use crate::domain::id::HostId;
use crate::domain::money::Msat;
use crate::domain::texts::Message;
use crate::http::contract::answer::{Deleted, ReadResult, Reply, SayResult, WriteResult};
use crate::http::contract::body::Input;
use crate::http::contract::body::read::{Reader, TextRule};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::host::{CheckInView, HostView};
use crate::http::contract::dto::request::{CheckInBody, HostBody};
use crate::http::contract::extract::{Body, Caller, Id};
use crate::http::contract::tag::Tag;
use crate::http::problem::{Fields, Problem};
use crate::services::error::NON_FIELD;
use crate::services::{Principal, hosts};

/// Hosts.
pub struct Hosts;

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Host")]
impl Hosts {
    /// The caller's hosts
    ///
    /// A host sees itself, an administrator all.
    #[oai(path = "/hosts/", method = "get", operation_id = "hosts_list")]
    async fn list(&self, call: &RequestContext, caller: Caller) -> ReadResult<Reply<Vec<HostView>>> {
        let found = hosts::catalog::list(call.shop(), &caller.0)?;
        let site = call.site()?;
        Ok(Reply(found.iter().map(|host| HostView::new(call, host, &site)).collect()))
    }

    /// Never possible: hosts are added by the operator
    #[oai(path = "/hosts/", method = "post", operation_id = "hosts_create")]
    async fn create(&self, _caller: Caller, body: Body<HostBody>) -> WriteResult<Reply<HostView>> {
        Err(never_writable(&body.read()?).into())
    }

    /// A host
    #[oai(path = "/hosts/:id/", method = "get", operation_id = "hosts_read")]
    async fn read(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
    ) -> ReadResult<Reply<HostView>> {
        let host = hosts::catalog::get(call.shop(), &caller.0, call.id(HostId::parse)?)?;
        Ok(shown(call, &host)?)
    }

    /// Never possible: change the name with PATCH
    #[oai(path = "/hosts/:id/", method = "put", operation_id = "hosts_update")]
    async fn replace(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<HostBody>,
    ) -> WriteResult<Reply<HostView>> {
        hosts::catalog::get(call.shop(), &caller.0, call.id(HostId::parse)?)?;
        Err(never_writable(&body.read()?).into())
    }

    /// Change a host's name
    ///
    /// What sells (`ip`, `is_testnet`, prices, bandwidth) is the operator's; repeating the present value
    /// is fine.
    #[oai(path = "/hosts/:id/", method = "patch", operation_id = "hosts_partial_update")]
    async fn rename(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<HostBody>,
    ) -> WriteResult<Reply<HostView>> {
        let id = call.id(HostId::parse)?;
        let host = hosts::catalog::get(call.shop(), &caller.0, id)?;
        let name = read_change(&body.read()?, &host)?;
        let host = hosts::catalog::rename(call.shop(), &caller.0, id, name).await?;
        Ok(shown(call, &host)?)
    }

    /// Delete a host that owes nothing to anybody
    #[oai(path = "/hosts/:id/", method = "delete", operation_id = "hosts_delete")]
    async fn delete(&self, call: &RequestContext, caller: Caller, #[oai(name = "id")] _id: Id) -> WriteResult<Deleted> {
        hosts::catalog::delete(call.shop(), &caller.0, call.id(HostId::parse)?).await?;
        Ok(Deleted)
    }

    /// Say hello
    ///
    /// The same as a POST without fields.
    #[oai(path = "/hosts/:id/check_in/", method = "get", operation_id = "hosts_check_in_get")]
    async fn say_hello(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
    ) -> SayResult<Reply<CheckInView>> {
        Ok(check_in(call, &caller.0, 0, String::new()).await?)
    }

    /// Check in
    ///
    /// A host is alive for five minutes after a check-in that says hello.
    #[oai(path = "/hosts/:id/check_in/", method = "post", operation_id = "hosts_check_in")]
    async fn check_in(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<CheckInBody>,
    ) -> WriteResult<Reply<CheckInView>> {
        let input = body.read()?;
        let mut reader = Reader::new(&input);
        let status = reader.integer("ci_status", 0, 2).and_then(|status| u8::try_from(status).ok());
        let message = reader.text("ci_message", TextRule { max: 140, blank: false, null: false });
        reader.finish()?;
        Ok(check_in(call, &caller.0, status.unwrap_or(0), message.flatten().unwrap_or_default()).await?)
    }
}

async fn check_in(
    call: &RequestContext,
    caller: &Principal,
    status: u8,
    message: String,
) -> Result<Reply<CheckInView>, Problem> {
    let date =
        hosts::check_ins::check_in(call.shop(), caller, call.id(HostId::parse)?, status, message.clone()).await?;
    Ok(Reply(CheckInView { check_in: "ok".to_owned(), date: date.to_wire(), status, message }))
}

fn shown(call: &RequestContext, host: &Host) -> Result<Reply<HostView>, Problem> {
    let site = call.site()?;
    Ok(Reply(HostView::new(call, host, &site)))
}

/// The new name, if one is asked for; anything else must be as it is.
fn read_change(input: &Input, host: &Host) -> Result<Option<String>, Problem> {
    let mut reader = Reader::new(input);
    if let Some(Some(ip)) = reader.text("ip", TextRule { max: 0, blank: false, null: false })
        && ip != host.ip
    {
        let is_address = ip.parse::<IpAddr>().is_ok();
        reader.complain("ip", if is_address { Message::OnlyOperator } else { Message::EnterAddress });
    }
    let name = reader.text("name", TextRule { max: 20, blank: false, null: false }).flatten();
    if let Some(problem) = name.as_deref().and_then(|name| host_rules::name_refusals(name).next()) {
        reader.complain("name", problem);
    }
    if reader.raw("site").is_some() {
        reader.complain_nested("site", Fields::one("domain", Message::SiteIsFixed));
    }
    for (field, present) in what_sells(host) {
        if reader.integer(field, i64::MIN, i64::MAX).is_some_and(|value| value != present) {
            reader.complain(field, Message::OnlyOperator);
        }
    }
    for (field, present) in what_is_offered(host) {
        if reader.boolean(field).is_some_and(|value| value != present) {
            reader.complain(field, Message::OnlyOperator);
        }
    }
    reader.finish()?;
    Ok(name)
}

/// The numbers that are the operator's, as they are.
fn what_sells(host: &Host) -> [(&'static str, i64); 9] {
    let msat = |price: Msat| i64::try_from(price.0).unwrap_or(i64::MAX);
    [
        ("bridge_bandwidth_initial", host.bridge_bandwidth_initial),
        ("tor_bridge_duration", host.tor_bridge_duration),
        ("tor_bridge_price_initial", msat(host.tor_bridge_price_initial)),
        ("tor_bridge_price_extension", msat(host.tor_bridge_price_extension)),
        ("nostr_alias_port", i64::from(host.nostr_alias_port)),
        ("nostr_alias_duration", host.nostr_alias_duration),
        ("nostr_alias_price_initial", msat(host.nostr_alias_price_initial)),
        ("nostr_alias_price_extension", msat(host.nostr_alias_price_extension)),
        ("rssh_tunnel_price", msat(host.rssh_tunnel_price)),
    ]
}

/// The switches that are the operator's, as they are.
const fn what_is_offered(host: &Host) -> [(&'static str, bool); 6] {
    [
        ("is_testnet", host.is_testnet),
        ("is_enabled", host.is_enabled),
        ("is_test_host", host.is_test_host),
        ("offers_tor_bridges", host.offers_tor_bridges),
        ("offers_nostr_aliases", host.offers_nostr_aliases),
        ("offers_rssh_tunnels", host.offers_rssh_tunnels),
    ]
}

/// Why a host is neither made nor replaced over the API. Missing fields are named as the contract
/// names them.
fn never_writable(input: &Input) -> Problem {
    let mut reader = Reader::new(input);
    reader.required("ip");
    if reader.required("site").is_some() {
        reader.complain_nested("site", Fields::one("domain", Message::SiteIsFixed));
    }
    let refused = || Problem::field(NON_FIELD, Message::HostsByOperator);
    reader.finish().err().unwrap_or_else(refused)
}
