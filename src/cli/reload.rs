//! SIGHUP (`systemctl reload`): the configuration is read again. What can change under a running shop does; of the rest
//! the log says that it needs a restart. A file with problems changes nothing. systemd asks `check-config --running` before:
//! what needs a restart is refused there, where whoever has typed `reload` sees it.

use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::data::DataArgs;
use super::failure::Failure;
use super::logging;
use crate::app::Systemd;
use crate::config::Config;

/// Begins to listen for SIGHUP: before systemd learns that the shop is ready, since what comes earlier would end it. Only
/// where systemd has started the shop: to one that runs in a terminal the signal says that the terminal is gone.
pub fn listen(running: &Config, systemd: &Systemd) -> Option<Signal> {
    if !systemd.listens() {
        return None;
    }
    note(running);
    signal(SignalKind::hangup()).inspect_err(|error| tracing::error!(%error, "a reload would end the shop")).ok()
}

/// Reads the configuration again at each SIGHUP, for ever.
pub async fn at_hangups(hangups: Option<Signal>, data: &DataArgs, mut running: Config, systemd: &Systemd) {
    let Some(mut hangups) = hangups else { return std::future::pending().await };
    while hangups.recv().await.is_some() {
        systemd.reloading();
        match data.load() {
            Ok(new) => apply(&mut running, new),
            Err(failure) => refuse(&failure),
        }
        systemd.ready();
    }
}

fn refuse(failure: &Failure) {
    tracing::error!("the configuration is not read again, and nothing changes: {}", failure.text(str::to_owned));
}

/// Keeps the file of the configuration in use in the folder that systemd gives to a running service and takes with it, in
/// memory: [`super::check_config`] compares. Without such a folder nothing is kept, and nothing compared.
fn note(running: &Config) {
    let folder = std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
    let (Some(folder), Some(file)) = (folder, &running.file) else { return };
    if let Err(error) = std::fs::copy(file, folder.join("running.toml")) {
        tracing::warn!(%error, "a reload will not tell what needs a restart");
    }
}

fn apply(running: &mut Config, new: Config) {
    if new.log != running.log {
        if logging::set_level(&new.log.level) {
            tracing::info!(level = new.log.level, "log.level is changed");
        } else {
            tracing::warn!("log.level stays as it is, since RUST_LOG is set");
        }
        running.log = new.log.clone();
    }
    let waiting = needing_a_restart(running, &new);
    if waiting.is_empty() {
        note(&new);
        tracing::info!("the configuration was read again");
    } else {
        tracing::warn!("changed in the configuration, and in effect after a restart: {}", waiting.join(", "));
    }
}

/// The parts of the configuration that differ and are used from the start on.
pub(super) fn needing_a_restart(running: &Config, new: &Config) -> Vec<&'static str> {
    let parts = [
        ("data_dir", running.data_dir != new.data_dir),
        ("http", running.http != new.http),
        ("orders", running.orders != new.orders),
        ("holds", running.holds != new.holds),
        ("lightning", running.lightning != new.lightning),
        ("jobs", running.jobs != new.jobs),
        ("retention", running.retention != new.retention),
        ("credit", running.credit != new.credit),
        ("probe", running.probe != new.probe),
        ("rates", running.rates != new.rates),
        ("onion", running.onion != new.onion),
        ("branding", running.branding != new.branding),
        ("refunds", running.refunds != new.refunds),
        ("alerts", running.alerts != new.alerts),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn only_the_level_of_the_log_changes_under_a_running_shop_and_the_rest_is_named() {
        let running = Config::in_dir(Path::new("/data"));
        let mut new = running.clone();
        new.log.level = "debug".to_owned();
        assert!(needing_a_restart(&running, &new).is_empty());
        new.http.requests_per_minute += 1;
        new.credit.outages = false;
        assert_eq!(needing_a_restart(&running, &new), ["http", "credit"]);
    }

    #[test]
    fn no_part_of_the_configuration_is_forgotten() {
        let (running, mut new) = (Config::in_dir(Path::new("/data")), Config::in_dir(Path::new("/other")));
        let Config {
            file: _,
            data_dir: _,
            http,
            orders,
            holds,
            lightning,
            jobs,
            retention,
            credit,
            probe,
            rates,
            log: _,
            onion,
            branding,
            refunds,
            alerts,
        } = &mut new;
        http.body_limit_bytes += 1;
        orders.expiry *= 2;
        holds.cltv_blocks += 1;
        lightning.allow_regtest ^= true;
        jobs.clone_from(&Config::parse("[jobs]\nbackup = \"1 2 3 * * *\"").unwrap().jobs);
        retention.unpaid_days += 1;
        credit.outages ^= true;
        probe.limit *= 2;
        rates.enabled ^= true;
        *onion = Config::parse("[onion]\nenabled = false").unwrap().onion;
        branding.name = Some("another".to_owned());
        refunds.automatic_sat_per_day += 1;
        alerts.group *= 2;
        assert_eq!(needing_a_restart(&running, &new).len(), 14);
    }
}
