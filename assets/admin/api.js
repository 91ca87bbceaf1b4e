// Calls the API by the names of its operations. What is refused becomes an error with a message for each field.

import { language, t } from "./i18n.js";

const ROOT = "/api/v1/admin";

// Shown with each change: a page of another site does not know it.
let csrf = null;
let onSignedOut = () => {};

export function useSession(token) {
  csrf = token;
}

// What happens when the session is over.
export function whenSignedOut(then) {
  onSignedOut = then;
}

// An answer that is none: its status, one sentence, and messages by field.
export class Refused extends Error {
  constructor(status, body) {
    const fields = body && typeof body === "object" && !("detail" in body) ? body : {};
    const said = Object.values(fields).flat(9).filter((one) => typeof one === "string");
    super(body?.detail ?? (said.join(" ") || t("error.status", { status })));
    this.status = status;
    this.fields = fields;
    this.body = body;
  }
}

// Where an operation is: arguments that its path names stand there, the others in the query.
export function address(operation, args = {}) {
  const [, path] = OPERATIONS[operation].split(" ");
  const query = new URLSearchParams();
  const left = new Set(Object.keys(args));
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    left.delete(name);
    return encodeURIComponent(args[name]);
  });
  for (const name of left) {
    if (args[name] !== undefined && args[name] !== null && args[name] !== "") query.set(name, args[name]);
  }
  const tail = query.toString();
  return ROOT + filled + (tail && `?${tail}`);
}

// Calls an operation and gives what it answers.
export async function call(operation, args, body, more = {}) {
  const [method] = OPERATIONS[operation].split(" ");
  const headers = { "Accept-Language": language(), Accept: "application/json, text/plain", ...more };
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" };
  const answer = await fetch(address(operation, args), init).catch(() => {
    throw new Refused(0, { detail: t("error.unreachable") });
  });
  const isJson = answer.headers.get("Content-Type")?.includes("json");
  const content = answer.status === 204 ? null : await (isJson ? answer.json() : answer.text());
  if (answer.ok) return content;
  const refused = new Refused(answer.status, isJson ? content : null);
  if (answer.status === 401) onSignedOut(operation);
  throw refused;
}

export const OPERATIONS = {
  admin_alert_channel_add: "POST /alert-channels/",
  admin_alert_channel_kinds: "GET /alert-channels/kinds/",
  admin_alert_channel_list: "GET /alert-channels/",
  admin_alert_channel_remove: "DELETE /alert-channels/{name}/",
  admin_alert_channel_test: "POST /alert-channels/{name}/test/",
  admin_alert_close: "POST /alerts/{id}/close/",
  admin_alert_list: "GET /alerts/",
  admin_change_list: "GET /changes/",
  admin_dashboard_read: "GET /dashboard/",
  admin_deny_list: "GET /deny/",
  admin_deny_remove: "POST /deny/{kind}/remove/",
  admin_deny_set: "POST /deny/",
  admin_event_stream: "GET /events/",
  admin_failed_logins_list: "GET /failed-logins/",
  admin_flow_read: "GET /flows/",
  admin_host_create: "POST /hosts/",
  admin_host_give: "POST /hosts/{id}/owner/",
  admin_host_list: "GET /hosts/",
  admin_host_range_add: "POST /hosts/{id}/ranges/",
  admin_host_range_remove: "DELETE /hosts/{id}/ranges/{range}/",
  admin_host_read: "GET /hosts/{id}/",
  admin_host_remove: "DELETE /hosts/{id}/",
  admin_host_swept: "POST /hosts/{id}/swept/",
  admin_host_token_rotate: "POST /hosts/{id}/token/",
  admin_host_update: "PATCH /hosts/{id}/",
  admin_job_history_list: "GET /jobs/history/",
  admin_job_list: "GET /jobs/",
  admin_job_pause: "POST /jobs/{name}/pause/",
  admin_job_run: "POST /jobs/{name}/run/",
  admin_log_list: "GET /log/",
  admin_login_create: "POST /login/",
  admin_logout_create: "POST /logout/",
  admin_me_password_create: "POST /me/password/",
  admin_me_read: "GET /me/",
  admin_me_second_factor_confirm: "POST /me/second-factor/confirm/",
  admin_me_second_factor_create: "POST /me/second-factor/",
  admin_me_second_factor_remove: "POST /me/second-factor/remove/",
  admin_node_check: "POST /nodes/{id}/check/",
  admin_node_create: "POST /nodes/",
  admin_node_list: "GET /nodes/",
  admin_node_read: "GET /nodes/{id}/",
  admin_node_remove: "DELETE /nodes/{id}/",
  admin_node_update: "PATCH /nodes/{id}/",
  admin_operators_create: "POST /operators/",
  admin_operators_list: "GET /operators/",
  admin_operators_password_create: "POST /operators/{id}/password/",
  admin_operators_second_factor_remove: "POST /operators/{id}/second-factor/remove/",
  admin_operators_update: "PATCH /operators/{id}/",
  admin_order_deliver_again: "POST /orders/{id}/deliver-again/",
  admin_order_export_csv: "GET /orders/export/csv/",
  admin_order_export_json: "GET /orders/export/json/",
  admin_order_invoice_qr: "GET /orders/{id}/invoice/qr/",
  admin_order_list: "GET /orders/",
  admin_order_read: "GET /orders/{id}/",
  admin_order_refund: "POST /orders/{id}/refund/",
  admin_order_refund_outcome: "POST /orders/{id}/refund/outcome/",
  admin_order_resolve: "POST /orders/{id}/resolve/",
  admin_outbox_give_up: "POST /outbox/{number}/give-up/",
  admin_outbox_list: "GET /outbox/",
  admin_outbox_retry: "POST /outbox/{number}/retry/",
  admin_product_delete: "POST /products/{id}/delete/",
  admin_product_extend: "POST /products/{id}/extend/",
  admin_product_kill: "POST /products/{id}/kill/",
  admin_product_list: "GET /products/",
  admin_product_move: "POST /products/{id}/move/",
  admin_product_read: "GET /products/{id}/",
  admin_product_release: "POST /products/{id}/release/",
  admin_product_resume: "POST /products/{id}/resume/",
  admin_product_suspend: "POST /products/{id}/suspend/",
  admin_rate_list: "GET /rates/",
  admin_report_months: "GET /reports/months/",
  admin_sessions_delete: "DELETE /sessions/{id}/",
  admin_sessions_end_others: "POST /sessions/end-others/",
  admin_sessions_list: "GET /sessions/",
  admin_setting_list: "GET /settings/",
  admin_setup_create: "POST /setup/",
  admin_setup_read: "GET /setup/",
  admin_site_read: "GET /site/",
  admin_site_update: "PATCH /site/",
  admin_tokens_create: "POST /tokens/",
  admin_tokens_delete: "DELETE /tokens/{id}/",
  admin_tokens_list: "GET /tokens/",
};
