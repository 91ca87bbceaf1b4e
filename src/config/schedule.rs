//! `[jobs]`: when each scheduled job runs.

use super::cron::CronExpression;
use super::reader::Section;

macro_rules! jobs {
    ($($(#[$doc:meta])* $name:ident = $default:literal,)*) => {
        /// When each job runs. A job that is late, doubled or missed changes no result.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Jobs {
            $($(#[$doc])* pub $name: CronExpression,)*
        }

        impl Default for Jobs {
            fn default() -> Self {
                Self { $($name: CronExpression::known($default),)* }
            }
        }

        impl Jobs {
            /// Takes the schedules out of `[jobs]`.
            pub(super) fn read(mut section: Section<'_>) -> Self {
                let default = Self::default();
                let jobs = Self { $($name: section.read(stringify!($name), default.$name, CronExpression::parse),)* };
                section.finish();
                jobs
            }

            /// The name of each job and its schedule.
            pub fn all(&self) -> Vec<(&'static str, &CronExpression)> {
                vec![$((stringify!($name), &self.$name),)*]
            }
        }
    };
}

jobs! {
    /// Asks each Lightning node whether it is there.
    node_alive = "0 * * * * *",
    /// Notes hosts that no longer check in.
    host_alive = "30 * * * * *",
    /// Suspends products whose time is over.
    suspend_expired = "*/20 * * * * *",
    /// Gives back the ports of products that are suspended for long.
    delete_suspended = "0 17 * * * *",
    /// Closes orders that were not paid in time.
    close_unpaid = "10 * * * * *",
    /// Deletes orders that nobody paid, some days after they ended.
    delete_unpaid = "0 27 * * * *",
    /// Makes a backup.
    backup = "0 42 3 * * *",
    /// Deletes old backups.
    delete_old_backups = "0 12 4 * * *",
    /// Compares open invoices with their nodes.
    rescan = "45 */3 * * * *",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_schedule_is_a_cron_expression() {
        for (name, expression) in Jobs::default().all() {
            assert_eq!(CronExpression::parse(expression.as_str()).as_ref(), Ok(expression), "{name}");
        }
    }
}
