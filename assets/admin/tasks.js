// Tasks: scheduled jobs with their history, what is still to be done at nodes, warnings of the log.

import { about, act, ask, button, buttonTo, call, code, count, empty, english, facts, files, h, h1, h2, inRow, link, lists, NOTE, para, short, soft, t, table, tag, time, to, yesNo } from "./kit.js";

export async function show(place) {
  const [jobs, flows, lines] = await Promise.all([call("admin_job_list"), call("admin_flow_read"), call("admin_log_list")]);
  const list = lists(place);
  const { job } = place.query;
  return [
    h1(t("screen.tasks")),
    h2(t("tasks.jobs")),
    jobTable(jobs), files("jobs", jobs),
    h2(job ? t("tasks.history_of", { job }) : t("tasks.history")),
    job && para(link("tasks", t("list.all"))),
    await list("admin_job_history_list", "tasks.history", [
      ["tasks.job", (one) => one.name],
      ["tasks.last", (one) => time(one.last_at)],
      ["tasks.runs", (one) => count(one.runs), "num"],
      ["tasks.longest", (one) => ms(one.longest_ms), "num"],
      ["tasks.outcome", outcome],
    ], empty(t("tasks.no_history")), { name: job }),
    h2(t("tasks.outbox")),
    facts(["tasks.waiting", count(flows.waiting)], ["tasks.retrying", count(flows.retrying)], flows.oldest_at && ["tasks.oldest", time(flows.oldest_at)]),
    await list("admin_outbox_list", "tasks.outbox", [
      ["log.about", (one) => t(`intent.${one.kind}`)],
      ["order.id", (one) => link(`orders/${one.order_id}`, short(one.order_id))],
      ["invoice.node", (one) => about("node", one.node_id)],
      ["tasks.attempts", (one) => count(one.attempts), "num"],
      ["tasks.next", (one) => time(one.next_try_at)],
      ["node.error", (one) => one.last_error && english(one.last_error, "bad")],
      ["", (one) => inRow(intentActions(one))],
    ], empty(t("tasks.no_outbox"))),
    h2(t("tasks.streams")),
    flows.streams.length ? table("tasks.streams", [
      ["invoice.node", (one) => about("node", one.node_id)],
      ["state", (one) => tag(one.is_down ? t("dead") : t("alive"), one.is_down ? "bad" : "good")],
      ["tasks.told", (one) => yesNo(one.has_told)],
      ["tasks.stream_fails", (one) => time(one.stream_fails_since)],
      ["tasks.comparison_fails", (one) => time(one.comparison_fails_since)],
    ], flows.streams) : empty(t("start.node_text"), buttonTo("nodes?new=1", t("node.add"))),
    h2(t("tasks.log")),
    lines.length ? [h("ol", { class: "plain log", lang: "en" }, lines.toReversed().map((line) =>
      h("li", null, time(line.at), " ", tag(line.is_error ? "ERROR" : "WARN", line.is_error ? "bad" : ""), " ", h("code", { class: "soft" }, line.target), " ", line.text))), files("log", lines)]
      : soft(t("tasks.no_log")),
  ];
}

const ms = (value) => (value === null ? "–" : `${count(value)} ms`);

const outcome = (one) => one.outcome && english(one.outcome, one.has_failed && "bad");

const jobTable = (jobs) => table("tasks.jobs", [
  ["tasks.job", (job) => [h("a", { href: to("tasks", null, { job: job.name }) }, job.name), h("p", { class: "hint", lang: "en" }, job.about)]],
  ["tasks.schedule", (job) => code(job.schedule)],
  ["tasks.last", (job) => (job.is_running ? tag(t("tasks.running")) : time(job.last_at))],
  ["tasks.duration", (job) => ms(job.duration_ms), "num"],
  ["tasks.outcome", outcome],
  ["tasks.next", (job) => (job.paused_at ? tag(t("tasks.paused"), "bad") : time(job.next_at))],
  ["", (job) => inRow(
    button(t("tasks.run"), () => runNow(job), { "aria-label": t("tasks.run_one", job) }),
    button(job.paused_at ? t("product_do.resume") : t("tasks.pause"), () => pause(job, !job.paused_at), { "aria-label": t(job.paused_at ? "tasks.resume_one" : "tasks.pause_one", job) }))],
], jobs);

const runNow = (job) => act("admin_job_run", { name: job.name }, undefined, t("tasks.began", job));

const pause = (job, paused) => act("admin_job_pause", { name: job.name }, { paused },
  t(paused ? "tasks.pauses" : "tasks.resumes", job), () => pause(job, !paused));

function intentActions(one) {
  const retry = () => act("admin_outbox_retry", { number: one.number }, undefined, t("tasks.retried"));
  const giveUp = () => ask({
    name: "tasks.give_up", danger: true, operation: "admin_outbox_give_up", args: { number: one.number },
    fields: [NOTE()],
    said: true,
  });
  return [
    button(t("tasks.retry"), retry),
    one.kind === "make_invoice" && button(t("tasks.give_up"), giveUp, { class: "danger" }),
  ];
}
