//! Tor in the composition: the client, and the ways out.

use std::io::ErrorKind;

use super::onion_identity::Keys;
use super::onion_services::Services;
use super::parts::StartError;
use crate::config::{Config, Problem, Problems};
use crate::lightning::dial::{BoxedIo, Dial};
use crate::notify::Ways;
use crate::onion::{Dialer, Isolation, OnionConfig, OnionError, Tor, is_onion};
use crate::services::Shop;
use crate::services::file_permissions;
use crate::services::onion_address::Service;
use crate::web::{self, is_near};

/// A Lightning node behind Tor may take this long to be reached.
const NODE_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// How long a command waits for its own Tor client.
const COMMAND_PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Tor as the rest of the shop uses it.
pub struct TorPart {
    config: OnionConfig,
    tor: Option<Tor>,
    /// Why there is no client although there should be one. The shop runs without it.
    broken: Option<String>,
}

impl From<OnionError> for StartError {
    fn from(error: OnionError) -> Self {
        if let OnionError::Io { path, source, .. } = &error
            && source.kind() == ErrorKind::PermissionDenied
            && let Some(advice) = file_permissions::of_another_user(path, path)
        {
            return Self::Failed(format!("{error}; {advice}"));
        }
        Problem::of_onion(&error)
            .map_or_else(|| Self::Failed(error.to_string()), |problem| Self::Config(Problems(vec![problem])))
    }
}

impl From<Problems> for StartError {
    fn from(problems: Problems) -> Self {
        Self::Config(problems)
    }
}

impl TorPart {
    /// Creates the client, if the configuration wants one; it bootstraps in the background. Files that can't be used
    /// (a disk that is not mounted, a folder of another user) cost the shop its Tor and nothing else.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let config = config.onion_settings()?;
        let (tor, broken) = match config.enabled.then(|| Tor::new(config.clone())) {
            None => (None, None),
            Some(Ok(tor)) => (Some(tor), None),
            // Another shop on the same files, or a setting that can't be: those are to be seen at once.
            Some(Err(error @ (OnionError::Config { .. } | OnionError::StateInUse(_)))) => return Err(error.into()),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        Ok(Self { config, tor, broken })
    }

    /// Whether Tor is wanted and can't run.
    pub const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// The way out for probes; `None` when there is no Tor at all.
    pub fn dialer(&self) -> Option<Dialer> {
        match Dialer::new(&self.config, self.tor.clone()) {
            Dialer::Direct => None,
            dialer => Some(dialer),
        }
    }

    /// The way to Lightning nodes.
    pub fn node_dial(&self) -> Dial {
        node_dial(&self.config, self.tor.clone())
    }

    /// The way to servers of others (rates, alerts): through Tor if that is wanted (`.onion` in any case). One on
    /// this machine or in its network is asked directly, nobody else hears of that.
    pub fn web_dial(&self, through_tor: bool) -> Dial {
        let (direct, dialer) = (self.node_dial(), self.dialer());
        // Whoever wanted Tor for this is not to be shown to the provider because Tor is broken.
        if !through_tor || (dialer.is_none() && !self.is_broken()) {
            return direct;
        }
        let isolation = Isolation::fresh();
        Dial::new(move |host, port| {
            let (direct, dialer) = (direct.clone(), dialer.clone());
            Box::pin(async move {
                if is_near(&host) {
                    return direct.open(&host, port).await;
                }
                let dialer = dialer.ok_or_else(|| std::io::Error::other("Tor is off: see `alerts`"))?;
                let stream = dialer.connect(&host, port, isolation, NODE_LIMIT).await;
                stream.map(|stream| Box::new(stream) as BoxedIo).map_err(std::io::Error::other)
            })
        })
    }

    /// The ways on which alerts leave the shop.
    pub fn ways(&self) -> Ways {
        let is_without_tor = self.dialer().is_none() && !self.is_broken();
        let resolve = is_without_tor.then(web::system_resolver);
        let public = web::public_only(self.web_dial(true), resolve);
        Ways { plain: self.web_dial(false), tor: self.web_dial(true), public }
    }

    /// Launches the shop's onion service, and the operators' when there is one.
    pub fn launch(&self, shop: &Shop, config: &Config) -> Result<Option<Services>, StartError> {
        let keys = Keys::of(shop, config, &self.config);
        if let Some(error) = &self.broken {
            keys.switch_off(Service::Public, error)?;
        }
        let Some(tor) = self.tor.clone() else { return Ok(None) };
        Ok(Some(Services::launch(tor, &self.config, &keys, shop)?))
    }
}

/// The way to Lightning nodes: those behind `.onion` through Tor, others over plain TCP.
fn node_dial(config: &OnionConfig, tor: Option<Tor>) -> Dial {
    let (direct, dialer) = (Dial::direct(), Dialer::new(config, tor));
    Dial::new(move |host, port| {
        let (direct, dialer) = (direct.clone(), dialer.clone());
        Box::pin(async move {
            if !is_onion(&host) {
                return direct.open(&host, port).await;
            }
            let stream = dialer.connect(&host, port, Isolation::SHARED, NODE_LIMIT).await;
            stream.map(|stream| Box::new(stream) as BoxedIo).map_err(std::io::Error::other)
        })
    })
}

/// The same for one command, which may run beside the shop: where a host needs the embedded Tor, the
/// command has a client of its own, with folders of its own beside the shop's. Waits until it is
/// ready.
///
/// # Errors
/// A folder that can't be used, or a Tor that does not get ready.
pub async fn command_dial(config: &Config, hosts: impl Iterator<Item = &str>) -> Result<Dial, StartError> {
    let (onion, tor) = command_tor(config, { hosts }.any(is_onion)).await?;
    Ok(node_dial(&onion, tor))
}

/// The same for the channels of alerts that a command tries, which need Tor or do not.
///
/// # Errors
/// As [`command_dial`].
pub async fn command_ways(config: &Config, need_tor: bool) -> Result<Ways, StartError> {
    let (onion, tor) = command_tor(config, need_tor).await?;
    Ok(TorPart { config: onion, tor, broken: None }.ways())
}

async fn command_tor(config: &Config, is_needed: bool) -> Result<(OnionConfig, Option<Tor>), StartError> {
    let mut onion = config.onion_settings()?;
    if !(is_needed && onion.enabled && onion.socks_proxy.is_none()) {
        return Ok((onion, None));
    }
    for folder in [&mut onion.state_dir, &mut onion.cache_dir] {
        folder.as_mut_os_string().push("-command");
    }
    let tor = Tor::new(onion.clone()).map_err(|error| match error {
        OnionError::StateInUse(_) => {
            StartError::Failed("another command uses Tor at this moment: try again when it has ended".to_owned())
        }
        other => other.into(),
    })?;
    let mut progress = tor.bootstrap_progress();
    match tokio::time::timeout(COMMAND_PATIENCE, progress.wait_for(|now| now.ready)).await {
        Ok(Ok(_)) => {}
        _ => {
            return Err(StartError::Failed(
                "Tor did not get ready, so what is behind it (.onion addresses, what goes through Tor) can't be reached"
                    .to_owned(),
            ));
        }
    }
    Ok((onion, Some(tor)))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::net::TcpListener;

    use super::*;

    /// A shop whose only way out is a proxy that is gone.
    async fn with_dead_proxy() -> TorPart {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let socks_proxy: Option<SocketAddr> = Some(gone.local_addr().unwrap());
        TorPart { config: OnionConfig { socks_proxy, ..OnionConfig::default() }, tor: None, broken: None }
    }

    #[tokio::test]
    async fn rates_go_through_tor_or_nowhere() {
        let tor = with_dead_proxy().await;
        let refused = tor.web_dial(true).open("rates.invalid", 443).await.err().unwrap();
        assert!(refused.to_string().contains("onion.socks_proxy"), "{refused}");
    }

    #[tokio::test]
    async fn rates_that_are_to_go_through_tor_do_not_go_around_one_that_is_broken() {
        let tor = TorPart { config: OnionConfig::default(), tor: None, broken: Some("no disk".to_owned()) };
        let refused = tor.web_dial(true).open("rates.invalid", 443).await.err().unwrap();
        assert!(refused.to_string().contains("Tor is off"), "{refused}");
    }

    #[tokio::test]
    async fn a_provider_in_the_own_network_and_one_that_may_be_seen_are_asked_directly() {
        let tor = with_dead_proxy().await;
        let provider = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = provider.local_addr().unwrap().port();
        for through_tor in [true, false] {
            assert!(tor.web_dial(through_tor).open("127.0.0.1", port).await.is_ok());
        }
        let refused = tor.web_dial(false).open("a.onion", 80).await.err().unwrap();
        assert!(refused.to_string().contains("onion.socks_proxy"), "an onion always goes through Tor: {refused}");
    }
}
