// What the page keeps in the browser: its key, what waits to be sent, and a list for each performance it may be asked about.

const PREFIX = "clove-door-";
const LIST = "list:";
const ROOM_CHARACTERS = 1_000_000; // browsers keep some millions in all, and scans that wait need their part

const memory = new Map(); // what the browser does not take: it is out of room, or private

export const store = {
  get(name, otherwise) {
    try {
      return JSON.parse(memory.get(PREFIX + name) ?? localStorage.getItem(PREFIX + name)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  /** Keep VALUE, and say whether it outlives this page. Where the browser has no room, lists of other performances go. */
  set(name, value) {
    const text = JSON.stringify(value);
    if (isTaken(PREFIX + name, text)) return true;
    forget((performance) => performance && performance !== store.get("performance", ""));
    if (isTaken(PREFIX + name, text)) return true;
    memory.set(PREFIX + name, text);
    return false;
  },
};

function isTaken(name, text) {
  try {
    localStorage.setItem(name, text);
    memory.delete(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether something is lost when this page is closed. */
export const isForgetful = () => memory.size > 0;

function names() {
  let taken = [];
  try {
    taken = Object.keys(localStorage);
  } catch {
    // What is kept is in memory.
  }
  return [...new Set([...taken, ...memory.keys()])].filter((name) => name.startsWith(PREFIX + LIST)).map((name) => name.slice(PREFIX.length));
}

/** Whether there is room for lists that may never be asked for. */
export const hasRoom = () => !isForgetful() && names().reduce((sum, name) => sum + localStorage.getItem(PREFIX + name).length, 0) < ROOM_CHARACTERS;

/** What is known offline of PERFORMANCE ("" for all): its own list or the one of all, whichever is newer; null when there is none. */
export function listOf(performance) {
  const found = ["", performance].map((each) => store.get(LIST + each, null)).filter(Boolean);
  return found.reduce((newest, each) => (newest && Date.parse(newest.as_of) >= Date.parse(each.as_of) ? newest : each), null);
}

/** Keep LIST as the one of PERFORMANCE. */
export const keep = (performance, list) => store.set(LIST + performance, list);

/** Forget the lists of performances of which ISOVER says so. */
export function forget(isOver) {
  for (const name of names()) {
    if (!isOver(name.slice(LIST.length))) continue;
    memory.delete(PREFIX + name);
    try {
      localStorage.removeItem(PREFIX + name);
    } catch {
      // It was in memory alone.
    }
  }
}
