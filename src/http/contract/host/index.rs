//! The way into the API.

use poem_openapi::OpenApi;
use serde_json::{Value, json};

use crate::http::contract::answer::{Reply, StaffResult};
use crate::http::contract::call::RequestContext;
use crate::http::contract::extract::Caller;
use crate::http::contract::tag::Tag;

/// The index.
pub struct Index;

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Host")]
impl Index {
    /// Names and URLs of the lists
    ///
    /// For operators only: a host's token gets 403.
    #[oai(path = "/", method = "get", operation_id = "index")]
    async fn read(&self, call: &RequestContext, _caller: Caller) -> StaffResult<Reply<Value>> {
        let url = |path: &str| call.url(format_args!("{path}/"));
        Ok(Reply(json!({
            "public/hosts": url("hosts"),
            "public/order": url("public/order"),
            "tor_bridges": url("tor_bridges"),
            "nostr_aliases": url("nostr_aliases"),
            "hosts": url("hosts"),
        })))
    }
}
