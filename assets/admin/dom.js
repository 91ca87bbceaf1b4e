// Makes elements. What is given as text becomes text, never markup.

let made = 0;

// An id that no other element has.
export const uid = () => `e${++made}`;

// An element with its attributes and what is in it. Attributes that are null, undefined or false are left out; a function
// under `on…` listens; `style` is an object, since the page's policy forbids styles in markup.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) set(element, name, value);
  element.append(...flat(children));
  return element;
}

function set(element, name, value) {
  if ((value ?? false) === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

const flat = (children) =>
  children.flat(9).filter((child) => (child ?? "") !== "" && child !== false);

export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

export const para = (...children) => h("p", null, children);
export const h1 = (...children) => h("h1", null, children);
export const h2 = (...children) => h("h2", null, children);
export const code = (...children) => h("code", null, children);
export const inRow = (...children) => h("div", { class: "row" }, children);
export const card = (...children) => h("div", { class: "card" }, children);
export const soft = (...children) => h("p", { class: "soft" }, children);
// What the shop says in English, whatever the language of the screens.
export const english = (text, kind) => h("span", { lang: "en", class: kind }, text);
// What is seen once it is unfolded.
export const fold = (title, ...children) => h("details", { class: "group" }, h("summary", null, title), children);

// Shows something in the place of what was in a box, and goes there.
export const reveal = (box, ...children) => fill(box, children).querySelector("h2, h3, input").focus();

export const link = (to, text, attributes) => h("a", { href: `#/${to}`, ...attributes }, text);

export const buttonTo = (to, text, kind) => link(to, text, { class: `button ${kind ?? ""}` });

// A button that does something; while it does, it can't be pressed again.
export function button(text, action, attributes) {
  const element = h("button", { type: "button", ...attributes }, text);
  // Not `disabled`: that would take the focus away.
  element.addEventListener("click", async () => {
    if (element.ariaBusy) return;
    element.ariaBusy = true;
    await Promise.resolve(action(element)).finally(() => {
      element.ariaBusy = null;
    });
  });
  return element;
}
