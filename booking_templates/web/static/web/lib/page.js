// What every page does: the header's state, the menu, logging out.
import { api } from "./api.js";
import { $, busy, toast } from "./dom.js";
import { session } from "./session.js";
import { tab } from "./storage.js";

function drawSession() {
  const name = session.name;
  for (const item of document.querySelectorAll("[data-when]")) item.hidden = (item.dataset.when === "in") !== (name !== null);
  if (name !== null) $("buyer-name").textContent = name;
}

function menu() {
  const button = $("menu-button");
  const list = $("menu-list");
  const open = (isOpen) => {
    button.setAttribute("aria-expanded", String(isOpen));
    list.classList.toggle("is-open", isOpen);
  };
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("click", (event) => {
    if (!button.contains(event.target) && !list.contains(event.target)) open(false);
  });
  list.parentElement.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || button.getAttribute("aria-expanded") !== "true") return;
    open(false);
    button.focus();
  });
}

function links() {
  const here = location.pathname === "/login" || location.pathname === "/signup" ? null : location.pathname + location.search;
  if (here === null) return;
  for (const id of ["login-link", "signup-link"]) {
    $(id).href = `/${id.split("-")[0]}?next=${encodeURIComponent(here)}`;
  }
}

$("logout").addEventListener("click", (event) =>
  busy(event.currentTarget, async () => {
    try {
      await api("POST", "/api/auth/logout");
    } catch (problem) {
      if (problem.status !== 401) {
        toast(problem.message, "bad");
        return;
      }
    }
    session.forget();
    tab.clear();
    location.assign("/");
  }),
);

// The server knows the buyer while the access token lives; after that this browser still remembers that there is a session to renew.
const told = $("buyer-name").textContent;
if (told && session.name !== told) session.remember(told);
document.addEventListener("clove:session", drawSession);
addEventListener("storage", drawSession);
// A page that the browser kept as it was left (busy paying, say) starts anew when one comes back to it.
addEventListener("pageshow", (event) => event.persisted && location.reload());
drawSession();
menu();
links();
document.documentElement.classList.add("is-ready");
