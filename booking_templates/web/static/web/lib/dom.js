// Small tools over the DOM: making elements, announcing, asking.
import { client, t } from "./client.js";

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

/**
 * Make an element. PROPS: `on` holds listeners, `data` data attributes, `class` the classes; true and false set and leave out an
 * attribute. CHILDREN are nodes or texts; null and false are left out. Text is always text, never markup.
 */
export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (key === "data") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Make CHILDREN the content of PLACE; null and false are left out. */
export function fill(place, ...children) {
  place.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${client.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** A patch of COLOR: as an attribute, because the page's policy allows no inline style. */
export function swatch(color) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 10 10");
  svg.setAttribute("aria-hidden", "true");
  const rect = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ width: 10, height: 10, rx: 2.5, fill: color || "#8a93a3" })) rect.setAttribute(key, value);
  svg.append(rect);
  return svg;
}

export function show(element, isShown = true) {
  element.hidden = !isShown;
}

/** Say TEXT to screen readers; `now` interrupts what is being read. */
export function announce(text, { now = false } = {}) {
  const region = $(now ? "announce-now" : "announce");
  region.textContent = "";
  // A live region is read when it changes: the same text twice must be two changes.
  setTimeout(() => (region.textContent = text), 30);
}

const TOAST_MS = 6000;

/** A short message at the edge of the screen, also said to screen readers. */
export function toast(text, kind = "info") {
  const note = h("p", { class: `toast toast--${kind}` }, icon(kind === "bad" ? "warning" : kind === "good" ? "check" : "info"), text);
  $("toasts").append(note);
  announce(text, { now: kind === "bad" });
  setTimeout(() => note.remove(), TOAST_MS);
}

/** A message that stays, inside PLACE (replacing the one there). ACTIONS are elements. */
export function note(place, kind, text, ...actions) {
  const symbol = { bad: "warning", warn: "warning", good: "check", info: "info" }[kind];
  const message = h("div", { class: `note note--${kind}` }, icon(symbol), h("div", {}, h("p", {}, text), actions.length ? h("p", { class: "note__actions" }, actions) : null));
  place.replaceChildren(message);
  return message;
}

export function clear(place) {
  place.replaceChildren();
}

/** Ask before something that cannot be taken back. Resolves to whether it was confirmed. */
export function ask({ title, text, yes, no = t("back"), isDanger = false, testid = "confirm" }) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "ask-title", "aria-describedby": "ask-text" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "ask-title" }, title),
        h("p", { id: "ask-text" }, text),
        h(
          "p",
          { class: "dialog__actions" },
          h("button", { class: "button", value: "no" }, no),
          h("button", { class: `button ${isDanger ? "button--danger" : "button--primary"}`, value: "yes", "data-testid": testid }, yes),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Make BUTTON busy while WORK runs: it keeps its place in the tab order and says what it does. */
export async function busy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return undefined;
  button.setAttribute("aria-disabled", "true");
  button.classList.add("is-busy");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-disabled");
    button.classList.remove("is-busy");
  }
}
