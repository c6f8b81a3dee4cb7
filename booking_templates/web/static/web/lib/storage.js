// What a browser keeps, for good or for this tab. Where it is told to keep nothing, looking at its storage throws: then a page remembers.
function keeper(storage) {
  const memory = new Map();
  const tried = (act, instead) => {
    try {
      return act(storage());
    } catch {
      return instead();
    }
  };
  return {
    /** What was written for KEY, or null. */
    read: (key) => tried((kept) => kept.getItem(key), () => memory.get(key) ?? null),
    write: (key, text) => tried((kept) => kept.setItem(key, text), () => memory.set(key, text)),
    drop: (key) => tried((kept) => kept.removeItem(key), () => memory.delete(key)),
    clear: () => tried((kept) => kept.clear(), () => memory.clear()),
  };
}

export const browser = keeper(() => localStorage);
export const tab = keeper(() => sessionStorage);
