// Calls the API by the names of its operations. What is refused becomes an error with a message for each field.

import { OPERATIONS } from "./operations.js";
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
    super(body?.detail ?? fields.non_field_errors?.join(" ") ?? t("error.status", { status }));
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
