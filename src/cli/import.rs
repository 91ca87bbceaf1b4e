//! `import`: takes over the shop of the predecessor, from its own dump.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::data::{Data, DataArgs};
use super::failure::Failure;
use super::onion::{address_of_key, other_address, take_key};
use super::output::Output;
use crate::config::Config;
use crate::domain::id::SystemRandom;
use crate::domain::time::{Clock, SystemClock};
use crate::lightning::{pasted, permissions};
use crate::services::Tx;
use crate::services::file_permissions::how_to_read;
use crate::services::import::{self, Credentials, Env, MAX_BYTES, Plan, Refused};

/// The report in the data folder.
const REPORT: &str = "old-shop-import.txt";
/// What of the old shop's certificates and macaroons a node here can be reached with.
const CREDENTIALS: Credentials =
    Credentials { certificate: pasted::check_certificate, macaroon: permissions::invoice_macaroon };
/// No `.env` is larger. Bytes.
const MAX_ENV_BYTES: u64 = 1 << 20;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take over a Django shop from what its `manage.py dumpdata` wrote; only tells what it would do, without --yes
    OldShop {
        /// The dump
        dump: PathBuf,
        /// The old shop's .env, for its time of grace
        #[arg(long, value_name = "FILE")]
        env: Option<PathBuf>,
        /// The old shop's onion key (hs_ed25519_secret_key): this shop gets its address
        #[arg(long, value_name = "FILE")]
        onion_key: Option<PathBuf>,
        /// Do it, on a shop that is empty and does not run
        #[arg(long)]
        yes: bool,
    },
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let Command::OldShop { dump, env, onion_key, yes } = args.command;
    let config = args.data.load()?;
    let env = match env {
        Some(file) => {
            let text = String::from_utf8(read(&file, MAX_ENV_BYTES)?);
            let text = text.map_err(|_| Failure::Failed(format!("{} is no text", file.display())))?;
            Env::parse(&text).map_err(refused(&file))?
        }
        None => Env::default(),
    };
    let plan = import::plan(&read(&dump, MAX_BYTES)?, &env, &CREDENTIALS, SystemClock.now()).map_err(refused(&dump))?;
    if !yes {
        return rehearse(&config, &plan, onion_key.as_deref(), output);
    }
    carry_out(&args.data, plan, onion_key.as_deref(), output)
}

/// Tells what would become of the dump, and whether it could be done here.
fn rehearse(config: &Config, plan: &Plan, onion_key: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let is_there = config.database().try_exists().unwrap_or(true);
    let occupants = if is_there { Data::open(config.clone())?.read(import::occupants)? } else { None };
    if let Some(found) = &occupants {
        output.warn(&format!("this shop is not empty ({found}): --yes would be refused"));
    }
    let address = onion_key.map(|file| address_of_key(config, file)).transpose()?;
    let given_up = address.as_deref().map(|wanted| other_address(config, wanted)).transpose()?.flatten();
    if let Some(present) = given_up.filter(|_| occupants.is_none()) {
        output.warn(&format!("this shop has the address {present}, as nobody has used it yet: --yes gives it up"));
    }
    let report = plan.report();
    let mut document = report.document();
    document["done"] = json!(false);
    document["onion_address"] = json!(address);
    let address = address.map(|address| format!("\nIts address: {address}")).unwrap_or_default();
    let text = format!("{}\n{address}\nNothing was changed: say --yes to do it.", report.summary());
    output.result(&document, &text);
    Ok(())
}

fn carry_out(args: &DataArgs, plan: Plan, onion_key: Option<&Path>, output: &Output) -> Result<(), Failure> {
    // What would be refused anyway must make nothing, and not take the address.
    if let Some(file) = onion_key {
        address_of_key(&args.load()?, file)?;
    }
    let data = args.open_or_create()?;
    if let Some(found) = data.read(import::occupants)? {
        let text = format!("this shop is not empty ({found}): name another data folder, or move this one aside");
        return Err(Failure::Failed(text));
    }
    let _alone = data.stopped()?;
    // Before the rows: an empty shop that has taken the address and no more is as good for another try.
    let address = onion_key.map(|file| take_key(&data.config, file)).transpose()?;
    let report = plan.report();
    data.write(move |tx: &mut Tx<'_>| import::store(tx, &SystemRandom, &plan))?;
    let file = data.config.data_dir.join(REPORT);
    let written = write_report(&file, &report.text());
    let mut document = report.document();
    document["done"] = json!(true);
    document["report"] = json!(file.display().to_string());
    document["onion_address"] = json!(address);
    let told = match &written {
        Ok(()) => format!("The old shop is taken over. The report is in {}.", file.display()),
        Err(_) => "The old shop is taken over.".to_owned(),
    };
    let address = address.map(|address| format!("\nIts address: {address}")).unwrap_or_default();
    output.result(&document, &format!("{}\n\n{told}{address}", report.summary()));
    if let Err(error) = written {
        output.warn(&format!("the report could not be written to {}: {error}; keep what stands here", file.display()));
    }
    if onion_key.is_some() {
        output.warn("the old shop must be off for good: two of them take each other's visitors");
    }
    Ok(())
}

/// A new file for its owner alone; one that is there is from an earlier try, which stored nothing.
fn write_report(file: &Path, text: &str) -> std::io::Result<()> {
    let mut opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()
}

fn read(file: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        let advice = match error.kind() {
            std::io::ErrorKind::PermissionDenied => format!("; {}", how_to_read(file)),
            _ => String::new(),
        };
        Failure::Failed(format!("can't read {}: {error}{advice}", file.display()))
    };
    // A pipe or a device would be waited for, for ever.
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(Failure::Failed(format!("{} is no regular file: name one", file.display())));
    }
    let mut bytes = Vec::new();
    File::open(file).and_then(|opened| opened.take(most + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(Failure::Failed(format!("{} is larger than {} MiB", file.display(), most >> 20)));
    }
    Ok(bytes)
}

fn refused(file: &Path) -> impl FnOnce(Refused) -> Failure {
    let file = file.display().to_string();
    move |Refused(reasons)| Failure::Failed(format!("nothing is taken over from {file}:\n{}", reasons.join("\n")))
}
