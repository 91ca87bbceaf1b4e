//! `clock`: whether the shop trusts the machine's clock, and how to say that it may.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::{Output, fields};
use super::runtime::block_on;
use super::user;
use crate::domain::time::{Clock, SystemClock, Timestamp};
use crate::services::clock::{self, Accepted, Reading};

/// The day may be another one where the operator is. Seconds.
const DAY: i64 = 86_400;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the clock and the newest time at which the shop has run
    Show,
    /// Say that the clock is right now, after it was far ahead: nothing is suspended, expired or
    /// deleted until then. What it dated in the future counts from now
    Accept {
        /// Today's date, from your own calendar: a clock that shows another day is not accepted
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        today: Timestamp,
    },
}

fn day(text: &str) -> Result<Timestamp, String> {
    let is_date = text.len() == 10;
    Timestamp::parse_lenient(text).filter(|_| is_date).ok_or_else(|| "a date, as 2030-12-31".to_owned())
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = args.data.open()?;
    match args.command {
        Command::Show => {
            let reading = data.read(|tx| clock::read(tx.db, tx.now))?;
            output.result(&document(&reading), &text(&reading));
        }
        Command::Accept { today } => {
            let now = SystemClock.now();
            if now < today.plus_secs(-DAY) || now >= today.plus_secs(2 * DAY) {
                let text = format!("the clock says {now}, which is another day: set it first (`timedatectl`)");
                return Err(Failure::Failed(text));
            }
            let shop = data.shop()?;
            let accepted = block_on(async { Ok(clock::accept(&shop, &user::principal()).await?) })?;
            print(&accepted, output);
        }
    }
    Ok(())
}

fn document(reading: &Reading) -> Value {
    json!({
        "now": reading.now.to_wire(),
        "newest": reading.newest.map(Timestamp::to_wire),
        "is_behind": reading.is_behind,
    })
}

fn text(reading: &Reading) -> String {
    let newest = reading.newest.map_or_else(|| "unknown".to_owned(), Timestamp::to_wire);
    let verdict = if reading.is_behind {
        format!("no; nothing is suspended, expired or deleted. {}", clock::ADVICE)
    } else {
        "yes".to_owned()
    };
    fields(&[("now", reading.now.to_wire()), ("newest known time", newest), ("trusted", verdict)])
}

fn print(accepted: &Accepted, output: &Output) {
    let reading = &accepted.reading;
    let products: Vec<_> = accepted.products.iter().map(ToString::to_string).collect();
    let mut shown = document(reading);
    shown["accepted"] = json!(reading.is_behind);
    shown["products"] = json!(products);
    shown["orders_closed"] = json!(accepted.orders);
    let text = if !reading.is_behind {
        format!("The clock says {} and is behind nothing: there is nothing to accept.", reading.now)
    } else {
        let list: String = products.iter().map(|id| format!("\n  {id}")).collect();
        format!(
            "It is {}. {} unpaid orders with a date in the future are being closed. The dates of {} products were put \
             right, and those that were suspended too early come back; look at them with `bridge show`:{list}",
            reading.now,
            accepted.orders,
            products.len()
        )
    };
    output.result(&shown, &text);
}
