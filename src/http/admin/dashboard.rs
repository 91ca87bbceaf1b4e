//! The first look, alerts, and reports by month.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::answer::{Answer, Deleted, Reply};
use super::context::Context;
use super::dashboard_views::{AdminDashboard, AdminDisk, AdminTodo, AdminTotal};
use super::export::{Csv, csv_of_totals};
use super::signed::Signed;
use super::tag::Tag;
use super::values::time;
use crate::services::dashboard::{self, Todo};
use crate::services::{alerts, authz, reports};

/// The first look.
pub struct Dashboards;

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Dashboards {
    /// What came in, what runs, what ends next, and what needs a hand
    ///
    /// An operator's is about their own hosts and nodes.
    #[oai(path = "/dashboard/", method = "get", operation_id = "admin_dashboard_read")]
    async fn read(&self, context: &Context, signed: Signed) -> Answer<Reply<AdminDashboard>> {
        let shop = context.shop();
        let look = shop.read(&signed.by, dashboard::look)?;
        let is_everybodys = authz::needs_administrator(&signed.by).is_ok();
        let room = is_everybodys.then(|| shop.db.room()).flatten();
        let disk = room.map(|room| AdminDisk { free: room.free, total: room.total, database: room.database });
        Ok(Reply(AdminDashboard::new(look, shop.now(), disk, &signed.by)))
    }

    /// Alerts, newest first
    ///
    /// An operator's are those that concern their own hosts, nodes, products and orders.
    #[oai(path = "/alerts/", method = "get", operation_id = "admin_alert_list")]
    async fn alerts(
        &self,
        context: &Context,
        signed: Signed,
        /// Whether those whose reason is gone are listed as well, of the newest 1,000.
        closed: Query<Option<bool>>,
    ) -> Answer<Reply<Vec<AdminTodo>>> {
        let list = context.shop().read(&signed.by, |tx| alerts::list(tx, closed.0.unwrap_or(false)))?;
        let shown = list.into_iter().take(1000).map(|alert| {
            let about = dashboard::about(alert.topic);
            AdminTodo::new(Todo { alert, about }, &signed.by)
        });
        Ok(Reply(shown.collect()))
    }

    /// Close an alert by hand; it comes back when its reason does
    #[oai(path = "/alerts/:id/close/", method = "post", operation_id = "admin_alert_close")]
    async fn close_alert(&self, context: &Context, signed: Signed, id: Path<i64>) -> Answer<Deleted> {
        context.shop().tx(&signed.by, move |tx| alerts::close(tx, id.0)).await?;
        Ok(Deleted)
    }

    /// Sums by month: sold, taken, paid back, and what that cost
    #[oai(path = "/reports/months/", method = "get", operation_id = "admin_report_months")]
    async fn months(
        &self,
        context: &Context,
        signed: Signed,
        /// Months since that of this day.
        from: Query<Option<String>>,
    ) -> Answer<Reply<Vec<AdminTotal>>> {
        let first = time("from", from.0)?;
        let months = context.shop().read(&signed.by, |tx| reports::by_month(tx, first))?;
        Ok(Reply(months.into_iter().map(Into::into).collect()))
    }

    /// The same as CSV
    #[oai(path = "/reports/months/csv/", method = "get", operation_id = "admin_report_months_csv")]
    async fn months_csv(
        &self,
        context: &Context,
        signed: Signed,
        /// Months since that of this day.
        from: Query<Option<String>>,
    ) -> Answer<Csv> {
        let first = time("from", from.0)?;
        let months = context.shop().read(&signed.by, |tx| reports::by_month(tx, first))?;
        let months: Vec<AdminTotal> = months.into_iter().map(Into::into).collect();
        Ok(Csv::of("months.csv", csv_of_totals(&months)))
    }
}
