//! Whoever asks, as the shop knows them.

use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::context::Context;
use super::signed::Signed;
use super::tag::Tag;

/// Whoever has signed in.
pub struct Me;

/// Who has signed in.
#[derive(Debug, Serialize, Object)]
pub struct MeView {
    /// Their number, the `owner` of hosts.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// `administrator` or `operator`.
    pub role: String,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Me {
    /// Who has signed in
    #[oai(path = "/me/", method = "get", operation_id = "admin_me_read")]
    async fn read(&self, _context: &Context, signed: Signed) -> Answer<Reply<MeView>> {
        let operator = signed.operator;
        let role = operator.role.name().to_owned();
        Ok(Reply(MeView { id: operator.id.0, name: operator.name, role }))
    }
}
