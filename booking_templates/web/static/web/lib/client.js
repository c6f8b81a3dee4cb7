// What the page told its modules: language, time zone, texts.
const told = JSON.parse(document.getElementById("client").textContent);

export const client = told;

const plurals = new Intl.PluralRules(told.locale);

/** The text KEY in the page's language, with {name} replaced from VALUES; of two forms the one for VALUES.count. */
export function t(key, values = {}) {
  const found = told.texts[key];
  if (found === undefined) throw new Error(`no text ${key}`);
  const text = Array.isArray(found) ? found[plurals.select(values.count) === "one" ? 0 : 1] : found;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The JSON of the script element ID, or FALLBACK. */
export function embedded(id, fallback) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : fallback;
}
