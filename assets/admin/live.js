// News: one stream of events for the whole browser window, closed while nobody looks.

import { address } from "./api.js";
import { OPERATIONS } from "./operations.js";

const OPERATION = "admin_event_stream";
// Several things change together; they are shown together. Milliseconds.
const PAUSE = 1500;

let source = null;
let onNews = null;
let waits = null;

// Has `then` called when something has changed; null ends it.
export function follow(then) {
  onNews = then;
  fit();
}

function fit() {
  const isWanted = onNews && !document.hidden && OPERATION in OPERATIONS;
  if (!isWanted) {
    source?.close();
    source = null;
  } else if (!source) {
    source = new EventSource(address(OPERATION));
    source.addEventListener("changed", soon);
  }
}

function soon() {
  waits ??= setTimeout(() => {
    waits = null;
    if (onNews && mayChange()) onNews();
  }, PAUSE);
}

// What somebody is typing, reading far below or asked about is not taken from under their hands.
const mayChange = () =>
  !document.querySelector("dialog[open]") && !document.activeElement?.closest("form, summary") && scrollY < 200;

document.addEventListener("visibilitychange", () => {
  const wasClosed = !source;
  fit();
  if (wasClosed && source && mayChange()) onNews();
});
