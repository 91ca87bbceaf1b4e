//! The API for those who run the shop, below `/api/v1/admin/`: one file per noun, operations that call the services.
//! It is there on the faces that are chosen for it alone ([`Surface::has_admin`](super::Surface::has_admin)); elsewhere
//! its paths lead nowhere.

mod answer;
mod body;
mod context;
mod cookie;
mod frame;
mod login;
mod me;
mod operators;
mod page;
mod screens;
mod sessions;
mod setup;
mod signed;
mod tag;
mod tokens;

use poem_openapi::OpenApi;

pub use frame::Frame;
pub use screens::Screens;

/// All operations, one line for each noun. They are part of the OpenAPI document.
pub fn operations() -> impl OpenApi {
    (login::Login, setup::Setup, me::Me, sessions::Sessions, tokens::Tokens, operators::Operators)
}
