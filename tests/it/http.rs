//! The HTTP interface from outside.

mod actors;
mod bodies;
mod corrections;
mod listener;
mod origins;
mod pages;
mod pages_claims;
mod pages_forms;
mod pages_more;
mod pages_renew;
mod pages_story;
mod purchase;
mod push;
mod rules;
mod rush;
mod strangers;
mod tokens;
mod watching;
