//! Bridges and aliases: what is seen and reported of them, what operators do to them, what ends with time, and the ports of new ones.

pub mod expire;
pub mod operate;
pub mod ports;
pub mod relocate;
pub mod search;
pub mod view;
