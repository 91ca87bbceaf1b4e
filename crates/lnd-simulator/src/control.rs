//! Control of a running simulator from another process: a Unix socket in its folder that takes one
//! JSON line and answers with lines.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::faults::{Instruction, Rule, UnknownInstruction};
use super::files::{self, StartError};
use super::payment::{PayOrder, PaymentState};
use super::server::Shared;
use super::tls;

/// The name of the socket in the simulator's folder.
pub(super) const SOCKET: &str = "simulator.sock";

/// What another process asks.
#[derive(Serialize, Deserialize)]
pub(super) enum Command {
    Pay { bolt11: String, amount_msat: Option<u64> },
    Instruct(String),
}

/// What it is told.
#[derive(Serialize, Deserialize)]
pub(super) enum Reply {
    Done,
    Held,
    Settled { preimage: String },
    Failed { reason: String },
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Nothing answers.
    #[error("no simulator is running in {dir} ({source}); start one with: ip2tor-shop lnd-simulator serve")]
    NotRunning {
        /// The folder that was asked for.
        dir: PathBuf,
        /// Why the connection failed.
        source: io::Error,
    },
    /// It went away while it was asked.
    #[error("the simulator stopped before it answered: {0}")]
    Gone(io::Error),
    /// The payment failed.
    #[error("failed: {0}")]
    NotPaid(String),
    /// It refused.
    #[error("{0}")]
    Refused(String),
}

/// Listens on a socket in the folder; at most one simulator runs in it.
pub(super) async fn bind_socket(dir: &Path, name: &str) -> Result<UnixListener, StartError> {
    let path = dir.join(name);
    if UnixStream::connect(&path).await.is_ok() {
        return Err(StartError::AlreadyRunning(dir.to_owned()));
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(files::file_error(&path)(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(files::file_error(&path))?;
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, owner_only).map_err(files::file_error(&path))?;
    Ok(listener)
}

/// Serves the socket until the simulator stops.
pub(super) async fn listen(shared: Arc<Shared>, dir: PathBuf, listener: UnixListener) {
    while let Some(accepted) = shared.stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        let (serving, dir) = (Arc::clone(&shared), dir.clone());
        shared.tasks.spawn(async move {
            // Who hangs up needs no answer.
            let _ = serving.stop.clone().run_until_cancelled(serve(&serving, &dir, stream)).await;
        });
    }
}

async fn serve(shared: &Shared, dir: &Path, stream: UnixStream) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let Some(line) = BufReader::new(read).lines().next_line().await? else { return Ok(()) };
    match serde_json::from_str(&line) {
        Ok(Command::Pay { bolt11, amount_msat }) => pay(shared, bolt11, amount_msat, &mut write).await,
        Ok(Command::Instruct(text)) => {
            let outcome = text.parse().map_err(|error: UnknownInstruction| error.to_string());
            let reply = match outcome.and_then(|instruction| obey(shared, dir, instruction)) {
                Ok(()) => Reply::Done,
                Err(reason) => Reply::Failed { reason },
            };
            send(&mut write, &reply).await
        }
        Err(error) => send(&mut write, &Reply::Failed { reason: error.to_string() }).await,
    }
}

async fn pay(
    shared: &Shared,
    request: String,
    amount_msat: Option<u64>,
    write: &mut (impl AsyncWriteExt + Unpin),
) -> io::Result<()> {
    let mut started = match shared.access.node.pay(&PayOrder { request, amount_msat, fee_limit_msat: None }) {
        Ok(started) => started,
        Err(error) => return send(write, &Reply::Failed { reason: error.to_string() }).await,
    };
    let outcome = match started.updates.try_recv() {
        Ok(payment) => Some(payment),
        Err(_) => {
            send(write, &Reply::Held).await?;
            started.updates.recv().await
        }
    };
    let reply = match outcome.map(|payment| payment.state) {
        Some(PaymentState::Succeeded(preimage)) => Reply::Settled { preimage: hex::encode(preimage.0) },
        Some(PaymentState::Failed(reason)) => Reply::Failed { reason: reason.name().to_owned() },
        Some(PaymentState::InFlight) | None => Reply::Failed { reason: "the simulator stopped".to_owned() },
    };
    send(write, &reply).await
}

fn obey(shared: &Shared, dir: &Path, instruction: Instruction) -> Result<(), String> {
    let node = &shared.access.node;
    let text = |error: &dyn std::fmt::Display| error.to_string();
    match instruction {
        Instruction::Rule(rule) => node.faults.add(Rule { ..rule }),
        Instruction::Clear => node.faults.clear(),
        Instruction::DropStreams => node.faults.drop_streams(),
        Instruction::DropPayments => node.faults.drop_payments(),
        Instruction::DropConnections => node.faults.drop_connections(),
        Instruction::Wallet(wallet) => node.faults.set_wallet(wallet),
        Instruction::ChainHangs(hangs) => node.faults.set_chain_hangs(hangs),
        Instruction::Synced(synced) => node.faults.set_synced(synced),
        Instruction::EndPayments(end) => node.faults.cln.end_payments(Some(end)),
        Instruction::LacksXpay => node.faults.cln.set_lacks_xpay(true),
        Instruction::NoRoute(no_route) => node.faults.set_no_route(no_route),
        Instruction::Height(height) => node.set_height(height).map_err(|error| text(&error))?,
        Instruction::Balance { local_sat, remote_sat } => {
            let (local, remote) = (local_sat.saturating_mul(1000), remote_sat.saturating_mul(1000));
            node.set_balance(local, remote).map_err(|error| text(&error))?;
        }
        Instruction::RenewCertificate => {
            shared.renew_certificate(dir, tls::VALID_SECS).map_err(|error| text(&error))?;
        }
    }
    Ok(())
}

async fn send(write: &mut (impl AsyncWriteExt + Unpin), reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    write.write_all(&line).await
}
