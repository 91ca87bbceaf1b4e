//! The HTTP interface from outside.

mod support;

#[path = "http/actors.rs"]
mod actors;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/corrections.rs"]
mod corrections;
#[path = "http/listener.rs"]
mod listener;
#[path = "http/origins.rs"]
mod origins;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/pages_forms.rs"]
mod pages_forms;
#[path = "http/pages_story.rs"]
mod pages_story;
#[path = "http/purchase.rs"]
mod purchase;
#[path = "http/push.rs"]
mod push;
#[path = "http/rules.rs"]
mod rules;
#[path = "http/rush.rs"]
mod rush;
#[path = "http/strangers.rs"]
mod strangers;
#[path = "http/tokens.rs"]
mod tokens;
#[path = "http/watching.rs"]
mod watching;
