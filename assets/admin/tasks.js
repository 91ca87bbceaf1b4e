// Tasks: scheduled jobs with their history, what is still to be done at nodes, warnings of the log.

import { call } from "./api.js";
import { button, code, h, h1, h2, inRow, link, para } from "./dom.js";
import { ask } from "./form.js";
import { t } from "./i18n.js";
import { to } from "./place.js";
import { attempt, finish } from "./say.js";
import { count, short, tag, time, yesNo } from "./show.js";
import { empty, facts, pages, table } from "./table.js";

export async function show(place) {
  const [jobs, flows, lines] = await Promise.all([call("admin_job_list"), call("admin_flow_read"), call("admin_log_list")]);
  const list = (operation, caption, columns, none, args) => pages({ place: { ...place, query: {} }, operation, caption, columns, none, args });
  const { job } = place.query;
  return [
    h1(t("screen.tasks")),
    h2(t("tasks.jobs")),
    jobTable(jobs),
    h2(job ? t("tasks.history_of", { job }) : t("tasks.history")),
    job && para(link("tasks", t("list.all"))),
    await list("admin_job_history_list", t("tasks.history"), [
      [t("tasks.job"), (one) => one.name],
      [t("tasks.last"), (one) => time(one.last_at)],
      [t("tasks.runs"), (one) => count(one.runs), "num"],
      [t("tasks.longest"), (one) => ms(one.longest_ms), "num"],
      [t("tasks.outcome"), outcome],
    ], empty(t("tasks.no_history")), { name: job }),
    h2(t("tasks.outbox")),
    facts([t("tasks.waiting"), count(flows.waiting)], [t("tasks.retrying"), count(flows.retrying)], flows.oldest_at && [t("tasks.oldest"), time(flows.oldest_at)]),
    await list("admin_outbox_list", t("tasks.outbox"), [
      [t("log.about"), (one) => t(`intent.${one.kind}`)],
      [t("order.id"), (one) => link(`orders/${one.order_id}`, short(one.order_id))],
      [t("invoice.node"), (one) => link(`nodes/${one.node_id}`, short(one.node_id))],
      [t("tasks.attempts"), (one) => count(one.attempts), "num"],
      [t("tasks.next"), (one) => time(one.next_try_at)],
      [t("node.error"), (one) => one.last_error && h("span", { lang: "en", class: "bad" }, one.last_error)],
      ["", (one) => inRow(intentActions(one))],
    ], empty(t("tasks.no_outbox"))),
    h2(t("tasks.streams")),
    flows.streams.length ? table(t("tasks.streams"), [
      [t("invoice.node"), (one) => link(`nodes/${one.node_id}`, short(one.node_id))],
      [t("state"), (one) => tag(one.is_down ? t("dead") : t("alive"), one.is_down ? "bad" : "good")],
      [t("tasks.told"), (one) => yesNo(one.has_told)],
      [t("tasks.stream_fails"), (one) => time(one.stream_fails_since)],
      [t("tasks.comparison_fails"), (one) => time(one.comparison_fails_since)],
    ], flows.streams) : empty(t("start.node_text"), link("nodes?new=1", t("node.add"), { class: "button" })),
    h2(t("tasks.log")),
    lines.length ? h("ol", { class: "plain log", lang: "en" }, lines.toReversed().map((line) =>
      h("li", null, time(line.at), " ", tag(line.is_error ? "ERROR" : "WARN", line.is_error ? "bad" : ""), " ", h("code", { class: "soft" }, line.target), " ", line.text)))
      : h("p", { class: "soft" }, t("tasks.no_log")),
  ];
}

const ms = (value) => (value === null ? "–" : `${count(value)} ms`);

const outcome = (one) => one.outcome && h("span", { lang: "en", class: one.has_failed ? "bad" : null }, one.outcome);

const jobTable = (jobs) => table(t("tasks.jobs"), [
  [t("tasks.job"), (job) => [h("a", { href: to("tasks", null, { job: job.name }) }, job.name), h("p", { class: "hint", lang: "en" }, job.about)]],
  [t("tasks.schedule"), (job) => code(job.schedule)],
  [t("tasks.last"), (job) => (job.is_running ? tag(t("tasks.running")) : time(job.last_at))],
  [t("tasks.duration"), (job) => ms(job.duration_ms), "num"],
  [t("tasks.outcome"), outcome],
  [t("tasks.next"), (job) => (job.paused_at ? tag(t("tasks.paused"), "bad") : time(job.next_at))],
  ["", (job) => h("div", { class: "row" },
    button(t("tasks.run"), () => runNow(job), { "aria-label": t("tasks.run_one", job) }),
    button(job.paused_at ? t("tasks.resume") : t("tasks.pause"), () => pause(job, !job.paused_at), { "aria-label": t(job.paused_at ? "tasks.resume_one" : "tasks.pause_one", job) }))],
], jobs);

const runNow = (job) => attempt(async () => {
  await call("admin_job_run", { name: job.name });
  finish(t("tasks.began", job));
});

const pause = (job, paused) => attempt(async () => {
  await call("admin_job_pause", { name: job.name }, { paused });
  finish(t(paused ? "tasks.pauses" : "tasks.resumes", job), () => pause(job, !paused));
});

function intentActions(one) {
  const retry = () => attempt(async () => {
    await call("admin_outbox_retry", { number: one.number });
    finish(t("tasks.retried"));
  });
  const giveUp = async () => {
    await ask({
      title: t("tasks.give_up"), text: t("tasks.give_up_text"), danger: true,
      fields: [{ name: "note", label: t("order.note"), required: true, max_length: 140 }],
      run: (given) => call("admin_outbox_give_up", { number: one.number }, given),
      said: t("tasks.given_up"),
    });
  };
  return [
    button(t("tasks.retry"), retry),
    one.kind === "make_invoice" && button(t("tasks.give_up"), giveUp, { class: "danger" }),
  ];
}
