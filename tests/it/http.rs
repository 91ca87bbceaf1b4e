//! The HTTP interface from outside.

mod accounts;
mod actors;
mod admin;
mod bodies;
mod corrections;
mod first_run;
mod listener;
mod metrics;
mod moved_in;
mod origins;
mod pages;
mod pages_claims;
mod pages_events;
mod pages_forms;
mod pages_more;
mod pages_renew;
mod pages_story;
mod purchase;
mod push;
mod reach;
mod rules;
mod rush;
mod second_factor;
mod strangers;
mod tokens;
mod watching;
