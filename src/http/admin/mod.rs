//! The API for those who run the shop, below `/api/v1/admin/`: one file per noun, operations that call the services.
//! It is there on the faces that are chosen for it alone ([`Surface::has_admin`](super::Surface::has_admin)); elsewhere
//! its paths lead nowhere.

mod alert_channels;
mod answer;
mod body;
mod changes;
mod context;
mod cookie;
mod dashboard;
mod dashboard_views;
mod events;
mod export;
mod frame;
mod host_views;
mod hosts;
mod jobs;
mod login;
mod me;
mod node_views;
mod nodes;
mod operators;
mod order_views;
mod orders;
mod page;
mod product_views;
mod products;
mod refunds;
mod screens;
mod sessions;
mod setup;
mod shop;
mod signed;
mod tag;
mod tokens;
mod values;

use poem_openapi::OpenApi;

pub use frame::Frame;
pub use screens::Screens;

/// All operations, one line for each noun. They are part of the OpenAPI document.
pub fn operations() -> impl OpenApi {
    let people = (login::Login, setup::Setup, me::Me, sessions::Sessions, tokens::Tokens, operators::Operators);
    let sold = (dashboard::Dashboards, hosts::Hosts, products::Products, orders::Orders, refunds::Refunds);
    let shop = (nodes::Nodes, jobs::Tasks, changes::Changes, shop::Whole, events::Events);
    let told = alert_channels::AlertChannels;
    (people, sold, shop, told)
}
