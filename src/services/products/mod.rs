//! Bridges and aliases: what is seen and reported of them, what ends with time, and the ports of new ones.

pub mod expire;
pub mod ports;
pub mod view;
