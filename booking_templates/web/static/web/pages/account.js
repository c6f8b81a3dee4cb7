// The buyer's account: name and phone, and its deletion.
import { api, goToLogin } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, busy, fill, h, note, show, toast } from "../lib/dom.js";
import { check, clearErrors, showProblem } from "../lib/forms.js";
import { session } from "../lib/session.js";
import "../lib/page.js";
import { tab } from "../lib/storage.js";

const profile = $("profile");
const dialog = $("delete-dialog");

async function start() {
  try {
    const { body } = await api("GET", "/api/auth/me");
    $("email").textContent = body.email;
    $("password-username").value = body.email;
    profile.elements.name.value = body.name;
    profile.elements.phone.value = body.phone || "";
    askForPassword(body.has_password);
    show($("account"));
    await outside(body);
  } catch (problem) {
    if (goToLogin(problem)) return;
    note($("problem"), "bad", problem.isPassing ? t("auth_down") : problem.message);
  }
  show($("loading"), false);
}

/** Who signs in by an outside provider alone proves it by a login just made, not by a password. */
function askForPassword(isAsked) {
  for (const input of [$("current_password"), $("delete-password")]) {
    input.required = isAsked;
    show(input.closest(".field"), isAsked);
  }
}

/** The outside sign-in, where this system has one: let it open this account, or no longer. */
async function outside({ is_joined }) {
  const way = await api("GET", "/api/auth/options").then(
    ({ body }) => body.sign_in[0],
    () => undefined,
  );
  if (!way) return;
  show($("outside"));
  $("outside-text").textContent = t(is_joined ? "outside_joined" : "outside_not_joined", { name: way.name });
  const join = h("a", { class: "button", href: `${way.path}?join=true&next=/account` }, t("outside_join", { name: way.name }));
  // The login may have to be renewed first, which a plain link cannot do.
  join.addEventListener("click", (event) => {
    event.preventDefault();
    busy(join, () => api("GET", "/api/auth/me").then(() => location.assign(join.href), (problem) => goToLogin(problem) || toast(problem.message, "bad")));
  });
  const part = h("button", { type: "button", class: "button", on: { click: () => busy(part, leave) } }, t("outside_part", { name: way.name }));
  fill($("outside-action"), is_joined ? part : join);
}

async function leave() {
  try {
    await api("DELETE", "/api/auth/oidc/identity");
    location.reload();
  } catch (problem) {
    if (!goToLogin(problem)) toast(problem.message, "bad");
  }
}

async function save() {
  try {
    const json = { name: profile.elements.name.value.trim(), phone: profile.elements.phone.value.trim() };
    const { body } = await api("PATCH", "/api/auth/me", { json });
    session.remember(body.name);
    toast(t("saved"), "good");
  } catch (problem) {
    if (!goToLogin(problem)) showProblem(profile, $("problem"), problem);
  }
}

async function changePassword() {
  const form = $("password");
  const json = { current_password: form.elements.current_password.value, new_password: form.elements.new_password.value };
  try {
    await api("POST", "/api/auth/me/password", { json });
    form.reset();
    askForPassword(true);
    toast(t("password_changed"), "good");
  } catch (problem) {
    if (!goToLogin(problem)) showProblem(form, $("problem"), problem);
  }
}

async function remove() {
  const form = $("delete-form");
  try {
    await api("DELETE", "/api/auth/me", { json: { password: form.elements.password.value } });
    session.forget();
    tab.clear();
    location.assign("/");
    await new Promise(() => {});
  } catch (problem) {
    if (goToLogin(problem)) return;
    showProblem(form, $("delete-problem"), problem);
  }
}

profile.addEventListener("submit", (event) => {
  event.preventDefault();
  if (check(profile, $("problem"))) busy(profile.querySelector("[type=submit]"), save);
});
$("password").addEventListener("submit", (event) => {
  event.preventDefault();
  if (check($("password"), $("problem"))) busy($("password").querySelector("[type=submit]"), changePassword);
});
$("delete").addEventListener("click", () => {
  $("delete-form").reset();
  clearErrors($("delete-form"), $("delete-problem"));
  dialog.showModal();
});
$("delete-cancel").addEventListener("click", () => dialog.close());
$("delete-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (check($("delete-form"), $("delete-problem"))) busy(event.submitter, remove);
});

start();
