// Rows that are added and removed in place: a pattern in a <template data-pattern> beside the list, buttons with data-add and data-remove.

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Appends a row to the list ROWS of FORM, puts the cursor into it, and returns it.
export function addRow(form, rows) {
  const pattern = form.querySelector(`template[data-pattern="${rows}"]`);
  const fresh = document.createElement("template");
  fresh.innerHTML = pattern.innerHTML.replaceAll("__key__", newKey());
  const row = fresh.content.firstElementChild;
  pattern.previousElementSibling.append(row);
  row.querySelector("input:not([type=hidden], [type=color])").focus();
  return row;
}

// Takes away the row that BUTTON stands in; the cursor goes to the next one.
export function removeRow(button) {
  const row = button.closest("[data-row]");
  const list = row.parentElement;
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  const next = neighbour?.querySelector?.("input:not([type=hidden])") ?? list.parentElement.querySelector("[data-add]");
  next?.focus();
}
