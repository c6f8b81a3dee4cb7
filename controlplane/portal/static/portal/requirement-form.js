// The requirement form: saves while one types, adds and removes rows, and swaps in the parts that the server works out
// (a seating plan and its grades, many performances at once). Each button also works without this script, as a plain submit.

import { addRow, removeRow } from "./rows.js";

const form = document.querySelector("form[data-requirement-form]");
const state = form.querySelector("[data-save-state]");
const SAVE_AFTER_MS = 900;
const RETRY_AFTER_MS = 4000;

let isDirty = false;
let isStopped = false; // another tab changed the draft: saving would overwrite it unseen
let saving = null;
let timer = 0;

function tell(words, isBad = false) {
  state.textContent = words;
  state.classList.toggle("is-bad", isBad);
}

function body(action) {
  const typed = new FormData(form);
  for (const input of form.querySelectorAll("[data-no-save], input[type=file]")) typed.delete(input.name);
  typed.set("action", action);
  return typed;
}

function schedule(after = SAVE_AFTER_MS) {
  isDirty = true;
  clearTimeout(timer);
  if (!isStopped) timer = setTimeout(save, after);
}

async function save() {
  clearTimeout(timer);
  if (saving) await saving;
  if (!isDirty || isStopped) return;
  isDirty = false;
  tell(form.dataset.saving);
  saving = send();
  await saving;
  saving = null;
}

async function send() {
  let response;
  try {
    response = await fetch(form.getAttribute("action"), { method: "POST", body: body("save"), headers: { Accept: "application/json" } });
  } catch {
    tell(form.dataset.unsaved, true);
    schedule(RETRY_AFTER_MS);
    return;
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (!isJson || (!response.ok && response.status !== 409)) {
    isDirty = true;
    if (response.status >= 500) schedule(RETRY_AFTER_MS);
    tell(response.status >= 500 ? form.dataset.unsaved : form.dataset.refused, true);
    return;
  }
  const answer = await response.json();
  tell(answer.message, !response.ok);
  if (!response.ok) {
    isStopped = true;
    return;
  }
  form.elements.version.value = answer.version;
  form.elements.slug.placeholder = answer.slug;
}

form.addEventListener("input", (event) => {
  if (event.target.matches("[data-no-save], input[type=file]")) return;
  if (event.target.name?.startsWith("grades.")) nameGrades();
  schedule();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden" && isDirty) save();
});

// Enter in a text field would press the form's first button; here it only leaves the field as it is.
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input:not([type=radio], [type=checkbox], [type=file])")) event.preventDefault();
});

// Rows

function add(rows) {
  const row = addRow(form, rows);
  const last = rows === "performances" && row.previousElementSibling?.querySelector("input[type=datetime-local]");
  if (last?.value) row.querySelector("input[type=datetime-local]").value = nextDay(last.value);
  schedule();
}

function nextDay(value) {
  const moment = new Date(`${value}Z`);
  moment.setUTCDate(moment.getUTCDate() + 1);
  return moment.toISOString().slice(0, 16);
}

function remove(button) {
  removeRow(button);
  nameGrades();
  schedule();
}

function nameGrades() {
  const names = [...form.querySelectorAll('input[name^="grades."][name$=".name"]')].map((input) => input.value.trim()).filter(Boolean);
  document.getElementById("grade-names").replaceChildren(...[...new Set(names)].map((name) => new Option(name, name)));
}

// Parts that the server works out

async function swap(button) {
  await save();
  saving = swapParts(button); // what is typed elsewhere meanwhile is saved after it, with the version that it brings
  await saving;
  saving = null;
  if (isDirty) schedule(0);
}

async function swapParts(button) {
  const ids = button.dataset.swap.split(" ");
  const sections = ids.map((id) => document.getElementById(id));
  const typed = new FormData(form, button);
  button.setAttribute("data-busy", "");
  for (const section of sections) section.inert = true;
  let page;
  let isOld = false; // another tab changed the draft
  try {
    const response = await fetch(form.getAttribute("action"), { method: "POST", body: typed });
    isOld = response.status === 409;
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    tell(form.dataset.unsaved, true);
  }
  const fresh = page?.querySelector("form[data-requirement-form]");
  if (!fresh || isOld) {
    if (isOld) {
      isStopped = true; // as when saving: with the version of now the next save would overwrite the other tab's unseen
      tell(page.querySelector(".messages")?.textContent.trim() ?? form.dataset.refused, true);
    } else if (page) tell(form.dataset.refused, true);
    for (const section of sections) section.inert = false;
    button.removeAttribute("data-busy");
    return;
  }
  for (const id of ids) document.getElementById(id).replaceWith(document.importNode(page.getElementById(id), true));
  form.elements.version.value = fresh.elements.version.value;
  tell(fresh.querySelector("[data-save-state]").textContent);
  prepare();
  form.dispatchEvent(new Event("swapped"));
  const wrong = document.getElementById(ids[0]).querySelector('[aria-invalid="true"], .error');
  const target = wrong?.matches(".error") ? wrong.closest("[tabindex]") : wrong;
  (target ?? document.getElementById(ids[0])).focus?.();
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=action]");
  if (!button) return;
  if (button.dataset.add) add(button.dataset.add);
  else if ("remove" in button.dataset) remove(button);
  else if (button.dataset.swap) swap(button);
  else if ("pictureRemove" in button.dataset) {
    const field = button.closest("[data-picture]");
    show(field, "", "");
    field.querySelector("input[type=file]").focus();
    schedule(0);
  }
  else return;
  event.preventDefault();
});

// Pictures of products: kept as soon as they are chosen; the form names them by what the server answers.

async function upload(input) {
  const field = input.closest("[data-picture]");
  const told = field.querySelector("[data-picture-error]");
  const sent = new FormData();
  sent.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  sent.set("picture", input.files[0]);
  input.setAttribute("data-busy", "");
  let answer = null;
  try {
    const response = await fetch(form.dataset.pictures, { method: "POST", body: sent, headers: { Accept: "application/json" } });
    answer = await response.json();
  } catch {
    // Sending the form brings the file along once more.
  }
  input.removeAttribute("data-busy");
  told.replaceChildren();
  input.toggleAttribute("aria-invalid", !answer?.digest);
  if (answer?.digest) {
    show(field, answer.digest, answer.url);
    input.value = "";
    schedule(0);
    return;
  }
  const words = document.createElement("p");
  words.className = "error";
  words.textContent = answer?.message ?? form.dataset.unsaved;
  told.append(words);
  if (answer) input.value = "";
}

function show(field, digest, url) {
  const image = field.querySelector("[data-picture-shown]");
  const remove = field.querySelector("[data-picture-remove]");
  field.querySelector("[data-picture-digest]").value = digest;
  if (url) image.src = url;
  image.hidden = remove.hidden = !digest;
}

form.addEventListener("change", (event) => {
  if (event.target.closest("[data-picture]") && event.target.files?.length) upload(event.target);
  const chosen = event.target.dataset?.choose;
  if (chosen && event.target.value) document.getElementById(chosen).click();
});

// Choosing is enough when there is a script.
function prepare() {
  observer.disconnect();
  for (const id of links.keys()) observer.observe(document.getElementById(id));
  for (const input of form.querySelectorAll("[data-choose]")) document.getElementById(input.dataset.choose).hidden = true;
  for (const note of form.querySelectorAll("[data-zone]")) note.hidden = !isElsewhere(note.dataset.zone);
}

function isElsewhere(zone) {
  const now = new Date();
  const clock = (timeZone) => now.toLocaleString("en", { timeZone });
  return clock(zone) !== clock(undefined);
}

// A submit waits for the save under way: otherwise it would come with a version that is old by then.
form.addEventListener("submit", async (event) => {
  clearTimeout(timer);
  if (!saving) return;
  event.preventDefault();
  await saving;
  form.requestSubmit(event.submitter);
});

// The outline follows the page.
const links = new Map([...document.querySelectorAll(".outline a")].map((link) => [link.hash.slice(1), link]));
const seen = new Set();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) isIntersecting ? seen.add(target.id) : seen.delete(target.id);
    const current = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) link.classList.toggle("is-current", id === current);
  },
  { rootMargin: "-170px 0px -55% 0px" },
);

prepare();
