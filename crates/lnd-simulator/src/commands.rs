//! The functions behind the `lnd-simulator` command.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;

use super::control::{Command, CommandError, Reply, SOCKET};
use super::files::StartError;
use super::running::{Options, Running, Simulator};

/// The answers of the simulator in `dir` to a command.
async fn ask(dir: &Path, command: &Command) -> Result<Lines<BufReader<tokio::net::unix::OwnedReadHalf>>, CommandError> {
    let not_running = |source| CommandError::NotRunning { dir: dir.to_owned(), source };
    let stream = UnixStream::connect(dir.join(SOCKET)).await.map_err(not_running)?;
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(command).map_err(|error| CommandError::Gone(error.into()))?;
    line.push(b'\n');
    write.write_all(&line).await.map_err(CommandError::Gone)?;
    // The connection closes with the writing half, which the lines no longer need.
    write.forget();
    Ok(BufReader::new(read).lines())
}

async fn next(lines: &mut Lines<BufReader<tokio::net::unix::OwnedReadHalf>>) -> Result<Reply, CommandError> {
    let line = lines.next_line().await.map_err(CommandError::Gone)?;
    let line = line.ok_or_else(|| CommandError::Gone(io::ErrorKind::UnexpectedEof.into()))?;
    serde_json::from_str(&line).map_err(|error| CommandError::Gone(error.into()))
}

/// `lnd-simulator pay`: lets the simulator in `dir` play somebody who pays `bolt11`; the preimage in
/// hex. While the payee holds the payment, `held` is told and this waits. An error means that nothing
/// was paid.
pub async fn cli_pay(dir: &Path, bolt11: &str, held: impl Fn()) -> Result<String, CommandError> {
    let command = Command::Pay { bolt11: bolt11.to_owned(), amount_msat: None };
    let mut replies = ask(dir, &command).await?;
    loop {
        match next(&mut replies).await? {
            Reply::Held => held(),
            Reply::Settled { preimage } => return Ok(preimage),
            Reply::Failed { reason } => return Err(CommandError::NotPaid(reason)),
            Reply::Done => return Err(CommandError::Gone(io::ErrorKind::InvalidData.into())),
        }
    }
}

/// `lnd-simulator fault`: gives the simulator in `dir` an [`Instruction`](crate::Instruction).
pub async fn cli_fault(dir: &Path, instruction: &str) -> Result<(), CommandError> {
    let mut replies = ask(dir, &Command::Instruct(instruction.to_owned())).await?;
    match next(&mut replies).await? {
        Reply::Failed { reason } => Err(CommandError::Refused(reason)),
        _ => Ok(()),
    }
}

/// `lnd-simulator serve`: runs a node until SIGINT or SIGTERM. `tell` is told once it answers.
pub async fn cli_serve(options: Options, tell: impl FnOnce(&Running)) -> Result<(), CommandError> {
    let signal_error = |source| StartError::File { path: PathBuf::from("signals"), source };
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(signal_error)?;
    let running = Simulator::start(options).await?;
    tell(&running);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    running.shutdown().await;
    Ok(())
}
