// What the page shows: the verdict, what somebody has to look at, and the log of the last scans.

const LOGGED_AT_MOST = 30;
const SIGNS = { good: "✓", bad: "✕", warn: "!" };

export const $ = (id) => document.getElementById(id);
export const texts = JSON.parse(document.querySelector("main").dataset.texts);
/** As this browser writes times, if it is in the page's language. */
export const locale = navigator.languages.find((each) => each.split("-")[0] === document.documentElement.lang) ?? document.documentElement.lang;
export const element = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });
export const won = (krw) => texts.won.replace("{amount}", krw.toLocaleString(locale));

/** ASKS are what somebody at the door has to look at, each {name, proof} or {block, logged}: bigger than all but the verdict. */
export function show(kind, head, lines = [], asks = []) {
  const verdict = $("verdict");
  verdict.className = `verdict ${kind}`;
  verdict.removeAttribute("aria-busy");
  const strong = element("strong", `${SIGNS[kind] ?? ""} ${head}`);
  const blocks = asks.map((each) => each.block ?? asked(each));
  verdict.replaceChildren(strong, ...blocks, ...lines.filter(Boolean).map((text) => element("div", text)));
  navigator.vibrate?.(kind === "good" ? 80 : [80, 60, 80, 60, 80]);
  log([strong.textContent, lines[0], ...asks.map(({ name, logged }) => logged ?? name)].filter(Boolean).join(" "));
}

/** The next one is being looked at: what the page shows is of the one before. */
export const wait = () => $("verdict").setAttribute("aria-busy", "true");

/** A block that says NAME, and below it PROOF. */
export function asked({ name, proof }) {
  const block = Object.assign(document.createElement("div"), { className: "ask" });
  block.append(element("b", name), element("span", proof));
  return block;
}

export function log(text) {
  $("log").prepend(element("li", `${new Date().toLocaleTimeString(locale)}  ${text}`));
  while ($("log").children.length > LOGGED_AT_MOST) $("log").lastChild.remove();
}
