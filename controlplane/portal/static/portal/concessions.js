// Concessions: the usual ones by a press, and boxes that follow the grades and performances of the same form.
// Without this script the buttons submit the form, and the boxes are those of when the page was loaded.

import { addRow, removeRow } from "./rows.js";

const part = document.querySelector("[data-concessions]");
const form = part.closest("form");
const isWhole = form.matches("[data-requirement-form]"); // there grades and performances are typed, too, and rows come and go by its own script
const EARLY_DAYS = 14;

part.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=action]");
  if (!button) return;
  if (button.dataset.preset) addPreset(JSON.parse(button.dataset.preset));
  else if (!isWhole && button.dataset.add) addRow(form, button.dataset.add);
  else if (!isWhole && "remove" in button.dataset) removeRow(button);
  else return;
  event.preventDefault();
});

function addPreset(values) {
  const row = addRow(form, "concessions");
  if ("until" in values) values.until = daysLater(form.elements.opens_at?.value) || values.until;
  for (const [column, value] of Object.entries(values)) row.querySelector(`[name$=".${column}"]`).value = value;
  row.querySelector("details").open = Boolean(values.at_least || "until" in values);
  if (isWhole) follow();
  row.querySelector('[name$=".name"]').dispatchEvent(new Event("input", { bubbles: true })); // it is saved as if it had been typed
}

function daysLater(value) {
  if (!value) return "";
  const moment = new Date(`${value}Z`);
  if (Number.isNaN(moment.getTime())) return "";
  moment.setUTCDate(moment.getUTCDate() + EARLY_DAYS);
  return moment.toISOString().slice(0, 16);
}

// What can be ticked: [row, value, words].
function offered(column) {
  if (column === "grades") {
    const rows = form.elements.numbered.value === "no" ? "grades" : "plan_grades";
    return inputs(rows, "name").map(([row, value]) => [row, value.trim(), value.trim()]);
  }
  return inputs("performances", "starts_at").map(([row, value]) => [row, value, clock(value)]);
}

function inputs(rows, column) {
  const found = [...form.querySelectorAll(`input[name^="${rows}."][name$=".${column}"]`)];
  return found.map((input) => [input.name.split(".")[1], input.value]).filter(([, value]) => value.trim());
}

function clock(value) {
  const moment = new Date(`${value}Z`);
  if (Number.isNaN(moment.getTime())) return value;
  const shown = { year: "numeric", month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return moment.toLocaleString(document.documentElement.lang, { ...shown, timeZone: "UTC" });
}

function follow() {
  for (const list of part.querySelectorAll("[data-choices]")) followIn(list, offered(list.dataset.choices));
}

function followIn(list, choices) {
  const boxes = [...list.querySelectorAll("input")];
  const rows = new Set(choices.map(([row]) => row));
  const labels = choices.map(([row, value, words]) => {
    const box = boxes.find((each) => each.dataset.of === row) ?? boxes.find((each) => !rows.has(each.dataset.of) && each.value === value);
    const label = box?.parentElement ?? newBox(list.dataset.name);
    Object.assign(label.firstElementChild, { value }).dataset.of = row;
    label.lastElementChild.textContent = words;
    return label;
  });
  // What was ticked and is not there any more stays to be seen: for none of them it would be for all.
  const gone = boxes.filter((box) => !rows.has(box.dataset.of) && box.checked).map((box) => box.parentElement);
  for (const label of gone) label.firstElementChild.dataset.of = "";
  list.replaceChildren(...labels, ...gone);
}

function newBox(name) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name });
  label.append(box, document.createElement("span"));
  return label;
}

if (isWhole) {
  form.addEventListener("input", (event) => {
    if (/^(plan_grades|grades|performances)\.|^numbered$/.test(event.target.name ?? "")) follow();
  });
  // After the form's own script has added or removed a row, or swapped a part in.
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-add], [data-remove]")) setTimeout(follow);
  });
  form.addEventListener("swapped", follow);
}
