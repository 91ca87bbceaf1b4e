//! `/metrics`, as Prometheus reads it: to programs on this machine at the listener for those who run the shop, to others
//! with an API token of an administrator. No id and no target is in it.

mod recent;
mod text;

use http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Request, Response};
use serde_json::Value;

use super::pages;
use super::problem::Problem;
use super::server::client::Origin;
use super::server::surface::Surface;
use super::state::App;
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::services::backstage::{JobNow, StreamNow};
use crate::services::dashboard;
use crate::services::figures::{self, Figures};
use crate::services::jobs::{self, Job};
use crate::services::operators::{api_tokens, authenticate};
use crate::services::{Error, Principal};
use text::Text;

/// The version of the format.
const FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// The figures, to whom they are shown.
pub async fn answer(app: &App, request: &Request) -> Response {
    let found = match reader(app, request).await {
        Ok(Some(reader)) => figures_for(app, &reader),
        // Where strangers ask there is nothing, unless they show a token.
        Ok(None) if !Surface::of(request).has_admin() => return pages::not_found(),
        Ok(None) => Err(Problem::unauthorized(Message::NotAuthenticated)),
        Err(error) => Err(error.into()),
    };
    match found {
        Ok(text) => Response::builder().header(header::CONTENT_TYPE, FORMAT).body(text),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => pages::not_found(),
        Err(problem) => {
            let mut response = problem.into_response();
            response.headers_mut().remove(header::WWW_AUTHENTICATE);
            response
        }
    }
}

async fn reader(app: &App, request: &Request) -> Result<Option<Principal>, Error> {
    let line = request.headers().get(header::AUTHORIZATION).and_then(|line| line.to_str().ok());
    if let Some(line) = line {
        let token = line.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else { return Ok(None) };
        let found = api_tokens::find(&app.shop, token.trim()).await?;
        return Ok(found.map(|(_, operator)| authenticate::principal(&operator)));
    }
    let is_local = Origin::client_of(request, &*app.is_trusted_proxy).is_loopback() && names_this_machine(request);
    Ok((Surface::of(request) == Surface::Admin && is_local).then_some(Principal::Shop))
}

/// Whether the request names an address, not a host: a web site whose name leads to this machine can't make a browser on
/// it read the figures.
fn names_this_machine(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<http::uri::Authority>().ok());
    host.is_some_and(|host| {
        let host = host.host().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok()
    })
}

fn figures_for(app: &App, reader: &Principal) -> Result<String, Problem> {
    let shop = &app.shop;
    let figures = shop.read(reader, figures::collect)?;
    let backstage = app.backstage.as_deref();
    let running: Vec<JobNow> = backstage.map(|backstage| backstage.jobs()).unwrap_or_default();
    let streams = backstage.map(|backstage| backstage.streams()).unwrap_or_default();
    let jobs = shop.read(reader, |tx| jobs::list(tx, running))?;
    let mut text = Text::default();
    let versions = [("version", env!("CARGO_PKG_VERSION")), ("sqlite", dashboard::sqlite_version())];
    text.one("build_info", "gauge", "The versions of the shop and of its database.", &versions, 1);
    sold(&mut text, &figures);
    recent::write(&mut text, &figures.dashboard.days, shop.now());
    now(&mut text, &figures, shop.now());
    of_jobs(&mut text, &jobs);
    of_nodes(&mut text, &streams);
    of_store(&mut text, app);
    of_channels(&mut text, &figures);
    of_onion(&mut text, app.readiness.part("onion"));
    let answered = app.answered.all();
    let answered = answered.iter().map(|(class, count)| (vec![("class", class.as_str())], *count));
    text.family("http_responses_total", "counter", "Answered requests since the start.", answered);
    Ok(text.into_string())
}

/// What ever came and went.
fn sold(text: &mut Text, figures: &Figures) {
    let sum = |of: fn(&crate::services::reports::Total) -> i64| figures.ever.iter().map(of).sum::<i64>();
    text.plain("sold_total", "counter", "First purchases that were paid.", sum(|total| total.sold));
    text.plain("extended_total", "counter", "Extensions that were paid.", sum(|total| total.extended));
    text.plain("received_msat_total", "counter", "What came, in millisatoshi.", sum(|total| total.received));
    // An operator can take back what was noted as paid back.
    text.plain("refunded_msat", "gauge", "What was paid back, in millisatoshi.", sum(|total| total.refunded));
    text.plain("refund_fees_msat_total", "counter", "What that cost, in millisatoshi.", sum(|total| total.fees));
    let known = || figures.ever.iter().filter(|total| !total.currency.is_empty());
    let money = |hundredths: i64| hundredths as f64 / 10_000.0;
    let came = known().map(|total| (vec![("currency", total.currency.as_str())], money(total.fiat)));
    text.family("received_fiat", "gauge", "What came, at the rates of the invoices.", came);
    let back = known().map(|total| (vec![("currency", total.currency.as_str())], money(total.fiat_refunded)));
    text.family("refunded_fiat", "gauge", "What was paid back, at the rates of the invoices.", back);
    let cost = known().map(|total| (vec![("currency", total.currency.as_str())], money(total.fiat_fees)));
    text.family("refund_fees_fiat", "gauge", "What that cost, at the rates of the invoices.", cost);
}

/// How the shop is at this moment.
fn now(text: &mut Text, figures: &Figures, now: Timestamp) {
    let look = &figures.dashboard;
    let products = [
        ("active", look.active),
        ("to_activate", look.to_activate),
        ("to_suspend", look.to_suspend),
        ("suspended", look.suspended),
    ];
    let products = products.map(|(state, count)| (vec![("state", state)], count));
    text.family("products", "gauge", "Products by state.", products);
    text.plain("orders_owing", "gauge", "Orders that owe their buyers something.", look.owing);
    text.plain("owed_msat", "gauge", "What they owe, in millisatoshi.", look.owed);
    text.plain("hosts", "gauge", "Hosts that sell.", look.hosts.0);
    text.plain("hosts_with_room", "gauge", "Those of them that have something left to sell.", look.hosts_with_room);
    text.plain("hosts_alive", "gauge", "Those of them that check in.", look.hosts.1);
    text.plain("lightning_nodes", "gauge", "Lightning nodes in use.", look.nodes.0);
    text.plain("lightning_nodes_alive", "gauge", "Those of them that are alive.", look.nodes.1);
    let alerts = figures.alerts.iter().map(|(severity, count)| (vec![("severity", severity.name())], *count));
    text.family("alerts_open", "gauge", "Open alerts.", alerts);
    let topics = figures.topics.iter().map(|(topic, count)| (vec![("topic", topic.name())], *count));
    text.family("alerts_open_by_topic", "gauge", "Open alerts by what they are about.", topics);
    let next = look.ending.first().and_then(|view| view.product.suspend_after);
    let next = next.map(|end| (vec![], end.secs()));
    text.family("product_next_end_timestamp_seconds", "gauge", "When the next product ends.", next);
    let queue = figures.queue;
    text.plain("outbox_waiting", "gauge", "What nodes are to be asked and were not yet.", queue.waiting);
    text.plain("outbox_retrying", "gauge", "What has failed at nodes and is tried again.", queue.retrying);
    let oldest = queue.oldest_at.map_or(0, |at| now.millis_since(at).max(0) / 1000);
    text.plain("outbox_oldest_seconds", "gauge", "How long the oldest of both waits.", oldest);
}

fn of_jobs(text: &mut Text, jobs: &[Job]) {
    let label = |job: &Job| vec![("job", job.now.name)];
    let runs = || jobs.iter().filter_map(|job| Some((job, job.last.as_ref()?)));
    let at = runs().filter_map(|(job, run)| Some((label(job), run.started_at?.secs())));
    text.family("job_last_run_timestamp_seconds", "gauge", "When a job last started.", at);
    let took = runs().filter_map(|(job, run)| Some((label(job), run.duration_ms? as f64 / 1000.0)));
    text.family("job_last_duration_seconds", "gauge", "How long that took.", took);
    let failed = runs().map(|(job, run)| (label(job), u8::from(run.has_failed)));
    text.family("job_last_failed", "gauge", "Whether its last run failed.", failed);
    let paused = jobs.iter().map(|job| (label(job), u8::from(job.paused_at.is_some())));
    text.family("job_paused", "gauge", "Whether it waits at the operator's word.", paused);
}

fn of_nodes(text: &mut Text, streams: &[StreamNow]) {
    let count = |is: fn(&StreamNow) -> bool| streams.iter().filter(|stream| is(stream)).count();
    let down = count(|stream| stream.is_down);
    text.plain("lightning_nodes_down", "gauge", "Nodes that did not answer when last asked.", down);
    let failing = count(|stream| stream.stream_fails_since.is_some());
    text.plain("lightning_streams_failing", "gauge", "Nodes whose settlements can't be followed.", failing);
    let failing = count(|stream| stream.comparison_fails_since.is_some());
    text.plain("lightning_comparisons_failing", "gauge", "Nodes whose invoices can't be compared.", failing);
}

fn of_store(text: &mut Text, app: &App) {
    text.plain("database_writable", "gauge", "Whether the last change was stored.", u8::from(app.shop.db.can_write()));
    if let Some(room) = app.shop.db.room() {
        text.plain("database_bytes", "gauge", "What the database takes.", room.database);
        text.plain("disk_free_bytes", "gauge", "What is free on its disk.", room.free);
        text.plain("disk_size_bytes", "gauge", "The size of its disk.", room.total);
    }
}

fn of_channels(text: &mut Text, figures: &Figures) {
    let channels = &figures.channels;
    let sent =
        channels.iter().filter_map(|state| Some((vec![("channel", state.name.as_str())], state.sent_at?.secs())));
    let about = "When a channel of alerts last took a message.";
    text.family("alert_channel_last_success_timestamp_seconds", "gauge", about, sent);
    let waiting = channels.iter().map(|state| (vec![("channel", state.name.as_str())], state.waiting));
    text.family("alert_channel_waiting", "gauge", "What it has not taken yet.", waiting);
    let off = channels.iter().map(|state| (vec![("channel", state.name.as_str())], u8::from(state.off_at.is_some())));
    text.family("alert_channel_off", "gauge", "Whether its receiver wants no more.", off);
    let own = figures.own_channels;
    text.plain("own_alert_channels", "gauge", "Channels of operators' own.", own.count);
    text.plain("own_alert_channels_off", "gauge", "Those of them whose receivers want no more.", own.off);
    text.plain("own_alert_channels_waiting", "gauge", "What they have not taken yet.", own.waiting);
}

/// What `readyz` shows of Tor; nothing without it.
fn of_onion(text: &mut Text, onion: Option<Value>) {
    let Some(onion) = onion else { return };
    if let Some(percent) = onion["bootstrap"]["percent"].as_f64() {
        text.plain("tor_bootstrap_percent", "gauge", "How far Tor is.", percent);
    }
    let is_reachable = onion["reachability"].as_str() == Some("reachable");
    text.plain("onion_reachable", "gauge", "Whether the onion service answers from outside.", u8::from(is_reachable));
    if let Some(latency) = onion["latency_ms"].as_f64() {
        text.plain("onion_latency_seconds", "gauge", "How long that took.", latency / 1000.0);
    }
}
