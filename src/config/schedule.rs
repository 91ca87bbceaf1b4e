//! The scheduled jobs and `[jobs]`, when each of them runs.

use super::cron::CronExpression;
use super::reader::Section;

macro_rules! jobs {
    ($($job:ident,)*) => {
        /// A scheduled job. One that is late, doubled or missed changes no result. What it does is in
        /// [`crate::background::schedule::jobs`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "Job::sentence says what each does")]
        pub enum Job {
            $($job,)*
        }

        impl Job {
            /// Every job.
            pub const ALL: [Self; [$(stringify!($job)),*].len()] = [$(Self::$job),*];
        }
    };
}

jobs! {
    HostAlive,
    SuspendExpired,
    DeleteSuspended,
    CloseUnpaid,
    DeleteUnpaid,
    Backup,
    DeleteOldBackups,
    Rescan,
    MonthlySummary,
}

impl Job {
    /// Its key in `[jobs]`, and its name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostAlive => "host_alive",
            Self::SuspendExpired => "suspend_expired",
            Self::DeleteSuspended => "delete_suspended",
            Self::CloseUnpaid => "close_unpaid",
            Self::DeleteUnpaid => "delete_unpaid",
            Self::Backup => "backup",
            Self::DeleteOldBackups => "delete_old_backups",
            Self::Rescan => "rescan",
            Self::MonthlySummary => "monthly_summary",
        }
    }

    /// What it does, for the example of a configuration.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::HostAlive => "Notes hosts that no longer check in.",
            Self::SuspendExpired => "Suspends products whose time is over.",
            Self::DeleteSuspended => "Gives back the ports of products that are suspended for long.",
            Self::CloseUnpaid => "Closes orders that were not paid in time.",
            Self::DeleteUnpaid => "Deletes orders that nobody paid, some days after they ended.",
            Self::Backup => "Makes a backup.",
            Self::DeleteOldBackups => "Deletes old backups.",
            Self::Rescan => "Compares open invoices with their nodes.",
            Self::MonthlySummary => "Sends what the month before has brought to the channels of alerts, once.",
        }
    }

    /// When it runs unless told otherwise; see [`CronExpression`].
    const fn default_schedule(self) -> &'static str {
        match self {
            Self::HostAlive => "30 * * * * *",
            Self::SuspendExpired => "*/20 * * * * *",
            Self::DeleteSuspended => "0 17 * * * *",
            Self::CloseUnpaid => "10 * * * * *",
            Self::DeleteUnpaid => "0 27 * * * *",
            Self::Backup => "0 42 3 * * *",
            Self::DeleteOldBackups => "0 12 4 * * *",
            Self::Rescan => "45 */3 * * * *",
            Self::MonthlySummary => "0 0 6 1 * *",
        }
    }
}

/// Jobs of former versions, and what is to be done about them in a configuration.
const FORMER_JOBS: [(&str, &str); 1] =
    [("node_alive", "this is no longer a job, since each node is asked once a minute anyway: remove the line")];

/// When each job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jobs([CronExpression; Job::ALL.len()]);

impl Default for Jobs {
    fn default() -> Self {
        Self(Job::ALL.map(|job| CronExpression::known(job.default_schedule())))
    }
}

impl Jobs {
    /// Takes the schedules out of `[jobs]`.
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let read = |job: Job| section.read(job.name(), default.schedule(job).clone(), CronExpression::parse);
        let jobs = Self(Job::ALL.map(read));
        for (name, advice) in FORMER_JOBS {
            section.retired(name, advice);
        }
        section.finish();
        jobs
    }

    /// When this job runs.
    pub const fn schedule(&self, job: Job) -> &CronExpression {
        &self.0[job as usize]
    }

    /// Each job and its schedule.
    pub fn all(&self) -> Vec<(Job, &CronExpression)> {
        Job::ALL.into_iter().map(|job| (job, self.schedule(job))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_default_schedule_is_a_cron_expression() {
        for (job, expression) in Jobs::default().all() {
            assert_eq!(CronExpression::parse(expression.as_str()).as_ref(), Ok(expression), "{job:?}");
        }
    }

    #[test]
    fn each_job_has_the_schedule_that_its_own_key_gives_it() {
        for job in Job::ALL {
            let jobs = Config::parse(&format!("[jobs]\n{} = \"1 2 3 4 5 *\"", job.name())).unwrap().jobs;
            let changed: Vec<_> = jobs.all().into_iter().filter(|(_, cron)| cron.as_str() == "1 2 3 4 5 *").collect();
            assert_eq!(changed.iter().map(|(changed, _)| *changed).collect::<Vec<_>>(), [job]);
        }
    }

    #[test]
    fn the_example_says_of_each_job_what_it_does() {
        let example = include_str!("../../packaging/config.example.toml");
        for job in Job::ALL {
            let lines = format!("\n## {}\n#{} = \"{}\"\n", job.sentence(), job.name(), job.default_schedule());
            assert!(example.contains(&lines), "{lines}");
        }
    }

    #[test]
    fn whoever_still_has_a_former_job_is_told_to_remove_it() {
        let problems = Config::parse("[jobs]\nnode_alive = \"0 * * * * *\"").unwrap_err();
        assert_eq!(problems.0.len(), 1);
        assert_eq!(problems.0[0].key, "jobs.node_alive");
        assert!(problems.0[0].message.contains("no longer a job"), "{problems}");
        assert!(problems.0[0].message.contains("remove the line"), "{problems}");
    }
}
