//! The HTTP interface from outside.

mod actors;
mod bodies;
mod corrections;
mod listener;
mod metrics;
mod origins;
mod pages;
mod pages_forms;
mod pages_story;
mod purchase;
mod push;
mod rules;
mod rush;
mod strangers;
mod tokens;
mod watching;
