//! The embedded Tor client: created at once, bootstrapped in the background, replaceable while the
//! shop runs.
//!
//! Everything that uses the client watches it through a channel, so that replacing it needs no
//! co-operation from the rest of the shop: while there is none, services wait and connections fail
//! with [`DialError::NotReady`].

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arti_client::{StreamPrefs, TorClientConfig};
use tokio::sync::{Mutex, watch};

use super::authorized::AuthorizedClients;
use super::bootstrap::{self, Bootstrap};
use super::config::OnionConfig;
use super::dial_error::{self, DialError};
use super::engine::{Client, Engine};
use super::error::OnionError;
use super::isolation::Isolation;
use super::keys;
use super::service::{self, Launched, OnionService};
use super::state::{self, StateLock};
use super::stream::TorStream;
use ip2tor_domain::time::Timestamp;

/// The ending of the file that guards are set aside in.
const ASIDE: &str = "json.aside";

/// The embedded Tor client. Clones share one client; Tor stops with the last of them.
#[derive(Clone)]
pub struct Tor {
    shared: Arc<Shared>,
}

struct Shared {
    config: OnionConfig,
    arti: TorClientConfig,
    client: watch::Sender<Option<Client>>,
    progress: watch::Receiver<Bootstrap>,
    /// What runs `client`. Locked while it is replaced, which takes a while.
    engine: Mutex<Option<Engine>>,
    /// Nicknames of running services.
    launched: Launched,
    _lock: StateLock,
}

impl Tor {
    /// Takes the state directory and creates the client, which starts to bootstrap in the
    /// background. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// A bad setting, a wrong mode in the state directory, or another process that uses it.
    pub fn new(config: OnionConfig) -> Result<Self, OnionError> {
        crate::tls::install_provider();
        config.validate()?;
        let arti = config.to_arti()?;
        state::prepare(&config.state_dir)?;
        state::make_directory(&config.cache_dir)?;
        for directory in [&config.state_dir, &config.cache_dir] {
            state::check_parents(arti.fs_mistrust(), directory)?;
        }
        let lock = StateLock::take(&config.state_dir)?;
        let engine = Engine::start(&arti)?;
        let (client, clients) = watch::channel(Some(engine.client()));
        let progress = bootstrap::follow(clients);
        let shared = Shared {
            config,
            arti,
            client,
            progress,
            engine: Mutex::new(Some(engine)),
            launched: Launched::default(),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How far Tor has come; changes until it is ready, and again when it loses the network.
    pub fn bootstrap_progress(&self) -> watch::Receiver<Bootstrap> {
        self.shared.progress.clone()
    }

    /// Whether Tor can be used at this moment.
    ///
    /// # Errors
    /// [`DialError::NotReady`] with what it is doing instead.
    pub fn is_ready(&self) -> Result<(), DialError> {
        let progress = self.shared.progress.borrow();
        if progress.ready { Ok(()) } else { Err(DialError::NotReady(progress.text.clone())) }
    }

    /// Starts an onion service whose clients may connect to `port`. Its key is made when there is
    /// none, so that the address is known at once; publishing goes on in the background.
    /// With `restricted`, only the clients in it can find the service.
    ///
    /// # Errors
    /// A bad nickname, a nickname that runs already, an empty list of clients (which would lock
    /// everybody out), or a key that cannot be read or made.
    pub fn launch(
        &self,
        nickname: &str,
        port: u16,
        restricted: Option<AuthorizedClients>,
    ) -> Result<OnionService, OnionError> {
        let setup = service::Setup::new(&self.shared.config, nickname, port, restricted)?;
        let address = setup.address(&self.shared.arti).map_err(|error| {
            // arti names neither the file nor a way out.
            match keys::address(&self.shared.config.state_dir, nickname) {
                Err(damaged @ OnionError::DamagedKey { .. }) => damaged,
                _ => error,
            }
        })?;
        let claim = self.shared.launched.claim(nickname)?;
        Ok(service::start(setup, address, self.shared.client.subscribe(), self.bootstrap_progress(), claim))
    }

    /// Connects to `host:port` through Tor. arti's own time-outs add up to minutes: wrap this in
    /// one, or use [`super::Dialer`].
    ///
    /// # Errors
    /// [`DialError`], as far as arti lets the reasons be told apart.
    pub async fn connect(&self, host: &str, port: u16, isolation: Isolation) -> Result<TorStream, DialError> {
        let replaced = || DialError::NotReady("its client is being replaced".to_owned());
        let mut clients = self.shared.client.subscribe();
        let client = clients.borrow_and_update().clone().ok_or_else(replaced)?;
        let mut prefs = StreamPrefs::new();
        prefs.set_isolation(isolation);
        tokio::select! {
            _ = clients.changed() => Err(replaced()),
            result = client.connect_with_prefs((host, port), &prefs) => {
                result.map(TorStream::new).map_err(|error| dial_error::from_arti(&error))
            }
        }
    }

    /// Replaces the client by a new one on the same state; services are published again behind
    /// their acceptors. With `forget_guards` the remembered guards are set aside first (kept
    /// in another file), so that new ones are chosen: that weakens the service's protection, and is
    /// for guards that nothing can be reached through any more.
    /// Open connections are closed.
    ///
    /// # Errors
    /// When the new client cannot be created; there is none then, until this is called again.
    pub async fn replace_client(&self, forget_guards: bool) -> Result<(), OnionError> {
        let mut engine = self.shared.engine.lock().await;
        self.stop_engine(&mut engine).await;
        if forget_guards {
            self.set_guards_aside()?;
        }
        let new = Engine::start(&self.shared.arti)?;
        self.shared.client.send_replace(Some(new.client()));
        *engine = Some(new);
        Ok(())
    }

    /// Stops Tor and waits until its state is released. Services stay silent from here on, and
    /// connections fail; open ones are closed.
    pub async fn shutdown(&self) {
        let mut engine = self.shared.engine.lock().await;
        self.stop_engine(&mut engine).await;
    }

    async fn stop_engine(&self, engine: &mut Option<Engine>) {
        self.shared.client.send_replace(None);
        if let Some(engine) = engine.take() {
            engine.stop().await;
        }
    }

    /// The settings that this client runs with.
    pub fn config(&self) -> &OnionConfig {
        &self.shared.config
    }

    /// When the guards were last set aside, also by an earlier process.
    pub(super) fn guards_set_aside_at(&self) -> Option<Timestamp> {
        let modified = fs::metadata(self.guards().with_extension(ASIDE)).and_then(|file| file.modified()).ok()?;
        let age = modified.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(age.as_secs()).ok().map(Timestamp::from_secs)
    }

    fn guards(&self) -> PathBuf {
        self.shared.config.state_dir.join("state/guards.json")
    }

    fn set_guards_aside(&self) -> Result<(), OnionError> {
        let guards = self.guards();
        // A copy, not a new name: its time says when this was done.
        let copied = fs::copy(&guards, guards.with_extension(ASIDE));
        match copied.and_then(|_| fs::remove_file(&guards)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(OnionError::io("set aside", &guards)(error))
            }
            _ => Ok(()),
        }
    }
}
