//! The tests of what is in the program: money, the HTTP interface, nodes, layers. Each runs in this process, beside
//! others; what needs processes of its own is in `tests/process`, what needs a Tor network in `tests/tor`.

mod admin_assets;
mod admin_lists;
mod alerts;
mod contract_replay;
mod http;
mod layers;
mod lightning_cln;
mod lightning_connector;
mod lightning_contract;
mod model;
mod money;
mod onion_clients;
mod openapi;
#[path = "../support/port.rs"]
mod port;
mod replay;
#[path = "../support/mod.rs"]
mod support;
