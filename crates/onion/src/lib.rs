//! Tor inside the shop: the shop's own onion services, and connections to others.
//!
//! [`Tor`] is the client. It exists at once and bootstraps in the background; [`Tor::launch`] gives
//! an [`OnionService`] whose address is known at once and whose [`OnionAcceptor`] poem serves like
//! any listener. The [`watchdog`] asks the shop's own address from outside and heals what does not
//! answer. Outgoing connections go through a [`Dialer`]. [`keys`] and [`authorized`] work on the
//! state directory while the shop is stopped.
//!
//! Invariants: one process per state directory ([`StateLock`]); what should go through Tor never
//! goes anywhere else; an acceptor outlives every restart behind it.

mod acceptor;
pub mod authorized;
mod bootstrap;
mod circuit_slots;
mod circuits;
mod client;
mod config;
mod dial_error;
mod dialer;
mod engine;
mod error;
mod handle;
mod isolation;
pub mod keys;
mod onion_stream;
pub mod probe;
pub mod self_check;
mod service;
mod socks;
mod state;
mod stream;
pub mod tls;
pub mod watchdog;

pub use acceptor::{CIRCUIT_SCHEME, ONION_SCHEME, OnionAcceptor};
pub use authorized::AuthorizedClients;
pub use bootstrap::Bootstrap;
pub use client::Tor;
pub use config::{AdminOnionConfig, OnionConfig, SettingProblem, Vanguards};
pub use dial_error::DialError;
pub use dialer::{Connection, Dialer, Stream};
pub use error::OnionError;
pub use handle::ServiceHandle;
pub use ip2tor_domain::target::is_onion;
pub use isolation::Isolation;
pub use onion_stream::OnionStream;
pub use service::OnionService;
pub use state::{StateLock, check_modes, prepare};
pub use stream::TorStream;
