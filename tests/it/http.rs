//! The HTTP interface from outside.

mod actors;
mod bodies;
mod corrections;
mod listener;
mod origins;
mod purchase;
mod push;
mod rules;
mod rush;
mod strangers;
mod tokens;
mod watching;
