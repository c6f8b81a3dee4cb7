// What the page keeps in the browser: its key, what waits to be sent, and a list for each performance it may be asked about.

const LIST = "list:";
const ROOM_CHARACTERS = 1_000_000; // browsers keep some millions in all, and scans that wait need their part

const nameOf = (name) => `clove-door-${name}`;

export const store = {
  get: (name, otherwise) => JSON.parse(localStorage.getItem(nameOf(name)) ?? "null") ?? otherwise,
  set: (name, value) => localStorage.setItem(nameOf(name), JSON.stringify(value)),
};

const names = () => Object.keys(localStorage).filter((name) => name.startsWith(nameOf(LIST)));

/** Whether there is room for lists that may never be asked for. */
export const hasRoom = () => names().reduce((sum, name) => sum + localStorage.getItem(name).length, 0) < ROOM_CHARACTERS;

/** What is known offline of PERFORMANCE ("" for all): its own list or the one of all, whichever is newer; null when there is none. */
export function listOf(performance) {
  const found = ["", performance].map((each) => store.get(LIST + each, null)).filter(Boolean);
  return found.reduce((newest, each) => (newest && newest.at >= each.at ? newest : each), null);
}

/** Keep LIST, asked for at AT by this device's clock, as the one of PERFORMANCE. Where the browser has no room, the others go. */
export function keep(performance, list, at) {
  try {
    store.set(LIST + performance, { ...list, at });
  } catch {
    forget(() => true);
    try {
      store.set(LIST + performance, { ...list, at });
    } catch {
      // Nothing is let in by a list that is not there: the page says so.
    }
  }
}

/** Forget the lists of performances of which ISOVER says so. */
export function forget(isOver) {
  for (const name of names()) if (isOver(name.slice(nameOf(LIST).length))) localStorage.removeItem(name);
}
