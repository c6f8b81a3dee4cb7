// Logging in and signing up, and back to where one came from.
import { api, renewed } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, busy, fill, h, show } from "../lib/dom.js";
import { check, showProblem } from "../lib/forms.js";
import { session } from "../lib/session.js";
import "../lib/page.js";

const form = $("form");
const isNew = "new" in form.dataset;

async function enter() {
  const value = (name) => form.elements[name].value;
  const json = { email: value("email").trim(), password: value("password") };
  if (isNew) {
    json.name = value("name").trim();
    if (value("phone").trim()) json.phone = value("phone").trim();
  }
  try {
    const { body } = await api("POST", isNew ? "/api/auth/signup" : "/api/auth/login", { json });
    session.remember(body.buyer.name);
    renewed();
    location.assign(form.dataset.next);
    await new Promise(() => {});
  } catch (problem) {
    if (problem.status === 429 && problem.retryAfter) problem.message = t("wait_before_login", { minutes: Math.ceil(problem.retryAfter / 60) });
    showProblem(form, $("problem"), problem);
  }
}

/** Ways in beside the password, where this system has them. */
async function offer() {
  const { body } = await api("GET", "/api/auth/options");
  if (!isNew) show($("forgot"), body.password_reset);
  fill(
    $("outside"),
    body.sign_in.map(({ name, path }) => h("a", { class: "button button--large button--wide", href: `${path}?next=${encodeURIComponent(form.dataset.next)}` }, t("log_in_with", { name }))),
  );
  show($("outside"), body.sign_in.length > 0);
}

offer().catch(() => {}); // without an answer the password is the way in
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (check(form, $("problem"))) busy(form.querySelector("[type=submit]"), enter);
});
