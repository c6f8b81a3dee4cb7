// Forms: messages beside the fields, focus on the first that is wrong, nothing typed is lost.
import { t } from "./client.js";
import { clear, note } from "./dom.js";

for (const button of document.querySelectorAll(".reveal__button")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const reveal = (isShown) => {
    input.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
  };
  button.hidden = false;
  button.addEventListener("click", () => reveal(input.type === "password"));
  // As a password it is what the browser offers to keep, and what nobody reads over a shoulder on the next page.
  input.form.addEventListener("submit", () => reveal(false));
}

function place(form, name) {
  const input = form.elements.namedItem(name);
  return input instanceof Element ? { input, message: document.getElementById(`${input.id}-error`) } : null;
}

export function clearErrors(form, summary) {
  for (const input of form.elements) {
    input.removeAttribute("aria-invalid");
    const message = input.id && document.getElementById(`${input.id}-error`);
    if (message) message.hidden = true;
  }
  if (summary) clear(summary);
}

function clearError({ input, message }) {
  input.removeAttribute("aria-invalid");
  message.hidden = true;
}

export function fieldError(form, name, text) {
  const found = place(form, name);
  if (!found?.message) return false;
  found.input.setAttribute("aria-invalid", "true");
  found.message.textContent = text;
  found.message.hidden = false;
  found.input.addEventListener("input", () => clearError(found), { once: true });
  return true;
}

/** Check what the browser can check; whether all is well. */
export function check(form, summary) {
  clearErrors(form, summary);
  let first = null;
  for (const input of form.elements) {
    if (!input.willValidate || input.validity.valid) continue;
    const text = input.validity.valueMissing ? t(input.type === "checkbox" ? "agree_first" : "field_required") : input.type === "email" ? t("field_email") : t("field_wrong");
    fieldError(form, input.name, text);
    first ??= input;
  }
  first?.focus();
  return first === null;
}

/** Show PROBLEM: beside its fields where it names them, else in SUMMARY. */
export function showProblem(form, summary, problem) {
  let first = null;
  const rest = [];
  for (const [name, messages] of Object.entries(problem.errors || {})) {
    if (fieldError(form, name, messages.join(" "))) first ??= form.elements.namedItem(name);
    else rest.push(...messages);
  }
  if (first) first.focus();
  if (!first || rest.length) note(summary, "bad", rest.length ? rest.join(" ") : problem.message).scrollIntoView({ block: "nearest" });
}
