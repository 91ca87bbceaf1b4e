// Makes pages nicer; each works without it.
"use strict";

// The state of an order, as it is now, while somebody looks: asked for when the shop tells that it is another one, and
// again and again where the shop tells nothing. Within SILENCE it tells something, be it the same.
const live = () => document.querySelector("[data-live]");
const SILENCE = 60000;
let waits = 2000;
let heard = 0;
let stream;

function listen() {
  stream?.close();
  heard = 0;
  if (!live() || document.hidden) return;
  stream = new EventSource(live().dataset.events);
  stream.onmessage = (told) => {
    heard = Date.now();
    if (live() && told.data !== live().dataset.version) ask();
  };
  stream.onerror = () => { heard = 0; };
}

async function ask() {
  const shown = live();
  try {
    const answer = await fetch(shown.dataset.live, { cache: "no-store" });
    if (answer.status === 200) {
      replace(shown, new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
    waits = answer.ok ? 2000 : Math.min(waits * 2, 60000);
  } catch {
    heard = 0;
    waits = Math.min(waits * 2, 60000);
  }
  if (!live()) stream?.close();
}

async function look() {
  if (live() && !document.hidden && Date.now() - heard > SILENCE) await ask();
  if (live()) setTimeout(look, waits);
}

function replace(shown, answer) {
  const news = answer.querySelector("[data-state]");
  if (!news || news.dataset.version === shown.dataset.version) return;
  const said = news.dataset.state !== shown.dataset.state && news.querySelector("h1");
  shown.replaceWith(news);
  ready(news);
  const teller = document.getElementById("told");
  if (said && teller) teller.textContent = said.textContent;
}

// A text is copied with one press.
function ready(part) {
  for (const button of part.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      const text = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = text; }, 1500);
    });
  }
  tick();
}

// The time left, each second.
function tick() {
  for (const clock of document.querySelectorAll("[data-left]")) {
    const ends = clock.dataset.ends ? Number(clock.dataset.ends) : Date.now() + clock.dataset.left * 1000;
    clock.dataset.ends = ends;
    const secs = Math.max(0, Math.round((ends - Date.now()) / 1000));
    clock.textContent = Math.floor(secs / 60) + ":" + String(secs % 60).padStart(2, "0");
  }
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

ready(document);
setInterval(tick, 1000);
if (live()) {
  setTimeout(look, waits);
  listen();
  document.addEventListener("visibilitychange", listen);
}
