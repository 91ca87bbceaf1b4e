//! `doctor`: checks the installation, one line each. Fails when something is bad.

mod onion;

use clap::Args as ClapArgs;
use serde_json::json;

use super::data::{Data, DataArgs};
use super::failure::Failure;
use super::output::{Output, table};
use crate::domain::time::{Clock, SystemClock};
use crate::services::backup;
use crate::services::doctor::{self, Finding, Grade};
use crate::services::onion_address::{self, Service};

/// Without a backup for so long, something is wrong with the schedule. Seconds.
const BACKUP_AGE_SECS: i64 = 3 * 86_400;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let data = args.data.open()?;
    let mut findings = vec![Finding::new("configuration", Grade::Good, "valid"), doctor::storage(&data.db)];
    findings.push(doctor::disk(&data.config.data_dir));
    let settings = data.config.shop_settings();
    findings.extend(data.read(|tx| doctor::examine(tx, &settings))?);
    let address = data.db.read(|db| onion_address::remembered(db, Service::Public))?;
    findings.push(onion::examine(&data.config.onion_settings()?, address.as_deref()));
    findings.push(backups(&data)?);
    print(&findings, output);
    if findings.iter().any(|finding| finding.grade == Grade::Bad) {
        return Err(Failure::Failed("the shop can't do its work like this".to_owned()));
    }
    Ok(())
}

fn backups(data: &Data) -> Result<Finding, Failure> {
    let (files, now) = (backup::list(&data.config.places())?, SystemClock.now());
    // What a wrong clock dated in the future is of unknown age.
    let newest = files.into_iter().find(|file| !file.made_at.is_from_the_future(now));
    Ok(match newest {
        None => Finding::new("backups", Grade::Notice, "none yet: `backup create`"),
        Some(file) if !file.made_at.is_within(BACKUP_AGE_SECS, now) => {
            Finding::new("backups", Grade::Notice, format!("the newest is of {}", file.made_at))
        }
        Some(file) => Finding::new("backups", Grade::Good, format!("the newest is of {}", file.made_at)),
    })
}

fn print(findings: &[Finding], output: &Output) {
    let name = |grade| match grade {
        Grade::Good => "good",
        Grade::Notice => "notice",
        Grade::Bad => "bad",
    };
    let row = |finding: &Finding| vec![name(finding.grade).to_owned(), finding.about.to_owned(), finding.text.clone()];
    let document =
        |finding: &Finding| json!({"about": finding.about, "grade": name(finding.grade), "text": finding.text});
    let rows: Vec<_> = findings.iter().map(row).collect();
    let documents: Vec<_> = findings.iter().map(document).collect();
    output.result(&json!(documents), &table(&["", "WHAT", "FOUND"], &rows));
}
