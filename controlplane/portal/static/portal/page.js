// Small comforts of every page. Without this script all of them still work.

document.querySelector("[data-focus]")?.focus();

// On a narrow screen the tabs scroll sideways: the one that is open comes into view. (`scrollIntoView` would move the page as well.)
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const bar = tab.parentElement;
  bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
}

// Menus close on Escape and on a click elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A picture that cannot be had leaves what lies behind it: <img data-or-none>.
for (const picture of document.querySelectorAll("img[data-or-none]")) {
  picture.addEventListener("error", () => picture.remove());
  if (picture.complete && !picture.naturalWidth) picture.remove();
}

// A link to an input puts the cursor there, not only the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('.problems a[href^="#"]');
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!target) return;
  event.preventDefault();
  target.closest("details:not([open])")?.setAttribute("open", "");
  target.scrollIntoView({ block: "center" });
  const input = target.matches("fieldset") ? target.querySelector("input:checked, input") : target;
  input.focus({ preventScroll: true });
});

// Buttons that copy: <button data-copy="text" data-copied="Copied">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return; // no permission, or no secure context: the text stands beside the button
  }
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => (label.textContent = before), 1800);
});

// Forms that ask first: <form data-confirm="Delete this?">.
const dialog = document.getElementById("confirm");
let asked = null;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.confirm || !dialog || form === asked) return;
  event.preventDefault();
  dialog.querySelector("p").textContent = form.dataset.confirm;
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    asked = form;
    form.requestSubmit(event.submitter);
  };
  dialog.showModal();
});

// One press is enough: a second one, while the first is under way, does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-requirement-form")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("data-busy", "");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-busy]")) button.removeAttribute("data-busy");
});
