// Begins: words, who has signed in, and then one screen after the other as the address says.

import { address, call, Refused, useSession, whenSignedOut } from "./api.js";
import { button, fill, h, inRow } from "./dom.js";
import { passwordsOf } from "./form.js";
import { frame, SCREENS } from "./frame.js";
import { loadWords, t } from "./i18n.js";
import { here } from "./place.js";
import { sayNothing } from "./say.js";

// That somebody has signed in with this browser: so that nobody is asked in vain.
const KEPT = "signed-in";

let me = null;
let shown = 0;
let before = null;

async function begin() {
  await loadWords();
  whenSignedOut((operation) => operation !== "admin_login_create" && signedOut());
  const setup = /^#setup=(.+)$/.exec(location.hash);
  if (setup) {
    // The key is not kept in the history.
    history.replaceState(null, "", "#/start");
    return door(import("./login.js").then((doors) => doors.showSetup), setup[1]);
  }
  if (localStorage.getItem(KEPT)) {
    try {
      return await signedIn();
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) return broken(error);
    }
  }
  return signedOut();
}

// The screens in front of the door: signing in, and the first run.
async function door(screen, key) {
  me = null;
  const show = await screen;
  const main = h("main", { id: "main", class: "door" });
  fill(document.body, main);
  document.body.classList.add("out");
  fill(main, await show({ key, then: signedIn, login: signedOut }));
  (main.querySelector("input") ?? main.querySelector("h1"))?.focus();
}

function signedOut() {
  localStorage.removeItem(KEPT);
  useSession(null);
  follow(null);
  return door(import("./login.js").then((doors) => doors.showLogin));
}

async function signedIn() {
  me = await call("admin_me_read");
  localStorage.setItem(KEPT, "yes");
  useSession(me.csrf_token);
  passwordsOf(me.name);
  document.body.classList.remove("out");
  fill(document.body, frame(me, signOut));
  follow((nouns) => {
    const { nouns: own = [] } = SCREENS[here().name] ?? {};
    const news = [...nouns, "any"];
    if (nouns.includes("everything") || own.some((noun) => news.includes(noun))) show(true);
  });
  await show(false);
}

async function signOut() {
  await call("admin_logout_create");
  signedOut();
}

function broken(error) {
  fill(document.body, h("main", { id: "main" }, problem(error, () => location.reload())));
}

const problem = (error, retry) => [
  h("h1", { tabindex: "-1" }, t("error.title")),
  h("p", { class: "error" }, error.message),
  inRow(button(t("error.retry"), retry)),
];

// Shows the screen that the address names. `isNews`: because something has changed, not because somebody went there.
async function show(isNews) {
  const main = document.getElementById("main");
  if (!me || !main) return;
  const number = ++shown;
  const place = { ...here(), me };
  const screen = SCREENS[place.name] ?? SCREENS.dashboard;
  const key = place.name + (place.id ?? "");
  const isSame = before === key;
  before = key;
  if (!isSame) sayNothing();
  if (!isNews) main.ariaBusy = "true";
  const parts = await screen.load().then((module) => module.show(place)).catch((error) => problem(error, () => show(false)));
  // Somebody went on in the meantime.
  if (number !== shown || !me) return;
  const held = isSame && !isNews && nameOf(main.contains(document.activeElement) && document.activeElement);
  fill(main, parts).ariaBusy = null;
  main.dataset.shown = location.hash;
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  if (held) ([...main.querySelectorAll("a, button, summary")].find((one) => nameOf(one) === held) ?? heading)?.focus({ preventScroll: true });
  document.title = `${heading?.textContent ?? ""} · ${t("title")}`;
  for (const one of document.querySelectorAll("nav a[data-screen]")) {
    one.ariaCurrent = one.dataset.screen === place.name ? "page" : null;
  }
  if (!isNews && !isSame) {
    heading?.focus();
    scrollTo(0, 0);
  }
}

// What the focus goes back to after a screen was drawn anew.
const nameOf = (one) => one && one.tagName + (one.ariaLabel ?? one.textContent);

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#setup=")) location.reload();
  else show(false);
});

const OPERATION = "admin_event_stream";
// Things that change together are shown together, no more often than somebody can read. Milliseconds.
const PAUSE = 3000;
// Without a stream screens are shown anew so often. Milliseconds.
const WITHOUT = 60000;

let source = null;
let onNews = null;
let waits = null;
let news = new Set();

// Has `then` called with what has changed, closed while nobody looks: a browser has few connections. Null ends it.
function follow(then) {
  onNews = then;
  fit();
}

function fit() {
  const isWanted = onNews && !document.hidden;
  if (!isWanted) {
    source?.close();
    source = null;
  } else if (!source) {
    source = new EventSource(address(OPERATION));
    source.addEventListener("changed", (event) => soon(JSON.parse(event.data).lists));
    source.addEventListener("log", () => soon(["log"]));
    source.addEventListener("error", () => {
      // Another try is under way.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      setTimeout(() => {
        fit();
        soon(["everything"]);
      }, WITHOUT);
    });
  }
}

function soon(nouns) {
  for (const noun of nouns) news.add(noun);
  waits ??= setTimeout(() => {
    waits = null;
    const all = [...news];
    news = new Set();
    if (onNews && mayChange()) onNews(all);
  }, PAUSE);
}

// What somebody types, has reached by keyboard, reads far below or is asked about is not taken away.
const mayChange = () =>
  !document.querySelector("dialog[open], .once") && !document.activeElement?.closest("main :not(h1)") && scrollY < 200;

document.addEventListener("visibilitychange", () => {
  const wasClosed = !source;
  fit();
  if (wasClosed && source && mayChange()) onNews(["everything"]);
});

begin().catch(broken);
