//! The rules of the shop as pure code: no I/O, no clock, no randomness of its own.

pub mod account;
pub mod address;
pub mod alert;
pub mod alert_channel;
pub mod alert_message;
pub mod alias;
pub mod clocks;
#[cfg(feature = "rusqlite")]
mod columns;
pub mod deal;
pub mod deny_list;
pub mod effect;
pub mod fiat;
pub mod host;
pub mod host_rules;
mod host_settings;
pub mod id;
pub mod lightning;
pub mod lnurl;
pub mod money;
pub mod node;
pub mod operator;
pub mod principal;
pub mod product;
pub mod purchase;
pub mod quiet_hours;
pub mod recent;
pub mod target;
pub mod text;
pub mod texts;
pub mod time;
pub mod transition;
pub mod vanity_ports;

#[cfg(test)]
mod tests;
