// Where in the screens somebody is: `#/name/id?filter=value`.

// Reads the address. `query` has strings only.
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = path.split("/");
  return { name: name || "dashboard", id: id && decodeURIComponent(id), query: Object.fromEntries(new URLSearchParams(query)) };
}

export function to(name, id, query = {}) {
  const given = Object.entries(query).filter(([, value]) => (value ?? "") !== "" && value !== false);
  const tail = new URLSearchParams(given).toString();
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}${tail && `?${tail}`}`;
}

// Goes to a screen; to the one that is shown, as it is now.
export function go(name, id, query) {
  const address = to(name, id, query);
  if (location.hash === address) dispatchEvent(new Event("hashchange"));
  else location.hash = address;
}

export const again = () => dispatchEvent(new Event("hashchange"));
