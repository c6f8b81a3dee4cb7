// Paying for a hold while its time runs.
import { api, dropKey, goToLogin, stableKey } from "../lib/api.js";
import { client, embedded, t } from "../lib/client.js";
import { deadline, left, passed } from "../lib/clock.js";
import { $, announce, ask, busy, h, icon, note, show, toast } from "../lib/dom.js";
import { offerExtras } from "../lib/extras.js";
import { check, showProblem } from "../lib/forms.js";
import { countdown, moment, won } from "../lib/format.js";
import { ConcessionPicker, forgetChoice } from "../lib/concession_picker.js";
import { methodBox, payLabel } from "../lib/payment.js";
import { placeList } from "../lib/places.js";
import { readTerms, termsList } from "../lib/terms.js";
import "../lib/page.js";

const id = $("page").dataset.hold;
const path = `/api/seat/holds/${encodeURIComponent(id)}`;
const form = $("checkout");
const TERMS_WAIT_MS = 1500;
const TOLD_AT_S = [180, 60, 30, 10];
const BUSY_TRIES = 5;
const EXTEND_BELOW_S = 60; // nobody loses seats by waiting for others' orders
let hold = null;
let until = 0;
let before = Infinity;
let ticking = 0;
let isPaying = false;
let concessions = null;

async function start() {
  const filled = fillBuyer();
  const reading = readTerms();
  try {
    take((await api("GET", path)).body);
  } catch (problem) {
    if (goToLogin(problem)) return;
    show($("loading"), false);
    if (isEnd(problem)) ended(problem);
    else note($("ended"), "bad", problem.isPassing ? t("seats_down") : problem.message, reload()), show($("ended"));
    return;
  }
  if (hold.state === "sold") {
    location.replace("/orders");
    return;
  }
  await filled;
  concessions = new ConcessionPicker($("concessions"), hold, draw);
  reading.then((terms) => {
    $("terms").replaceChildren(termsList(terms, hold.performance_id, { isPaid: client.payment !== "none" && hold.total_krw > 0 }));
    concessions.offer(terms);
  });
  // They come first on the page: nobody reads on while it moves. A service that is slow holds up nobody for long.
  await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, TERMS_WAIT_MS))]);
  if (client.has_shop) offerExtras($("extras"));
  show($("loading"), false);
  show(form);
  show($("countdown"));
  draw();
  ticking = setInterval(tick, 250);
  tick();
}

const reload = () => h("button", { type: "button", class: "button", on: { click: () => location.reload() } }, t("try_again"));

function take(body) {
  hold = body;
  until = deadline(hold.expires_in_s, performance.now());
}

function draw() {
  const offer = embedded("performances", []).find((each) => each.id === hold.performance_id);
  // Beside the form, or where that has no room before it: what is booked is read before it is agreed to.
  for (const place of [$("what"), $("summary")]) place.replaceChildren(offer ? h("p", { class: "summary__when" }, icon("calendar"), moment(offer.starts_at)) : "", placeList(concessions.places));
  const { total } = concessions;
  $("total").textContent = won(total);
  $("pay").textContent = payLabel(client.payment, total);
  $("method").replaceChildren(methodBox(client.payment, client.payment_test, total));
  show($("extend"), hold.can_extend);
  show($("release"), !hold.pinned);
}

async function fillBuyer() {
  try {
    const { body } = await api("GET", "/api/auth/me", { timeoutMs: 4000 });
    $("buyer-email").textContent = body.email;
    if (!form.elements.name.value) form.elements.name.value = body.name;
    if (!form.elements.phone.value) form.elements.phone.value = body.phone || "";
  } catch (problem) {
    goToLogin(problem); // else the buyer types the name: paying does not need the account's page
  }
}

// ---- time

function tick() {
  if (hold.state === "sold") {
    clearInterval(ticking);
    location.replace("/orders"); // paid for in another tab
    return;
  }
  const seconds = left(until, performance.now());
  $("countdown-time").textContent = countdown(seconds);
  $("countdown").classList.toggle("is-short", seconds <= 60);
  const marks = passed(TOLD_AT_S, before, seconds);
  if (marks.length) announce(t("time_left", { time: spoken(marks.at(-1)) }), { now: marks.at(-1) <= 60 });
  before = seconds;
  if (seconds > 0 || isPaying) return;
  if (hold.pinned) location.replace("/orders"); // its payment decides, and it is told there
  else ended();
}

const spoken = (seconds) => (seconds >= 60 ? t("minutes", { count: Math.round(seconds / 60) }) : t("seconds", { count: seconds }));

/** A page that slept has a clock that stood still: ask how much is left. */
document.addEventListener("visibilitychange", async () => {
  if (document.hidden || !hold || isPaying) return;
  try {
    take((await api("GET", path)).body);
    tick();
  } catch (problem) {
    if (isEnd(problem)) ended(problem);
  }
});

async function extend() {
  try {
    take((await api("POST", `${path}/extend`)).body);
    before = Infinity;
    toast(t("extended", { time: countdown(left(until, performance.now())) }), "good");
    show($("extend"), false);
    $("pay").focus({ preventScroll: true });
  } catch (problem) {
    if (goToLogin(problem)) return;
    if (isEnd(problem)) ended(problem);
    else {
      toast(problem.message, "bad");
      if (problem.status !== 409 && problem.status !== 422) return;
      show($("extend"), false);
      api("GET", path).then(({ body }) => take(body), () => {}); // it may have been given by a request whose answer was lost
    }
  }
}

const OFF = "performance_called_off";
const isEnd = (problem) => problem.status === 404 || problem.status === 410 || problem.code === OFF;

/** The places are gone: their time ran out, or their performance was called off, which PROBLEM says. */
function ended(problem = null) {
  const isOff = problem?.code === OFF;
  clearInterval(ticking);
  dropKey(id);
  forgetChoice(id);
  show(form, false);
  show($("countdown"), false);
  const back = hold ? `/performances/${encodeURIComponent(hold.performance_id)}` : "/#booking";
  $("ended").replaceChildren(
    h(
      "section",
      { class: "blank" },
      h("p", { class: "blank__icon" }, icon(isOff ? "info" : "clock")),
      h("h1", { tabindex: "-1" }, t(isOff ? "called_off_title" : "hold_ended")),
      h("p", {}, t(isOff ? "called_off_choose_text" : "hold_ended_text")),
      h("p", { class: "blank__actions" }, h("a", { class: "button button--primary", href: isOff ? "/#booking" : back }, t(isOff ? "other_date" : "choose_again")), h("a", { class: "button", href: "/orders" }, t("my_bookings"))),
    ),
  );
  show($("ended"));
  $("ended").querySelector("h1").focus();
}

// ---- paying

async function pay() {
  isPaying = true;
  try {
    const json = { hold_id: id, name: form.elements.name.value.trim(), phone: form.elements.phone.value.trim(), ...concessions.order };
    const order = await makeOrder(json);
    const next = order.payment?.redirect_url;
    location.assign(next && /^https?:\/\//.test(next) ? next : `/orders/${encodeURIComponent(order.id)}`);
    await new Promise(() => {}); // stay busy until the next page is there
  } catch (problem) {
    isPaying = false;
    if (goToLogin(problem)) return;
    if (isEnd(problem)) ended(problem);
    else if (problem.code === "hold_pinned") note($("problem"), "info", problem.message, h("a", { class: "button button--small", href: "/orders" }, t("my_bookings")));
    else {
      if (problem.code === "idempotency_key_reused") dropKey(purpose(concessions.order));
      showProblem(form, $("problem"), problem);
      // What is offered has changed since it was chosen: what still is stays chosen.
      if (problem.code === "price_changed" || problem.code.startsWith("concession_")) await concessions.readAnew();
    }
  }
}

/** A key is for one choice: with another it is another order. */
const purpose = ({ concessions: chosen, expected_total_krw: total }) => (chosen ? `${id}.${total}.${JSON.stringify(chosen)}` : id);

/** The order of JSON. While very many order at once the server asks to come again: the seats stay held, and this page tries again by itself. */
async function makeOrder(json) {
  let isToldToWait = false;
  let busyTimes = 0;
  for (;;) {
    try {
      const { status, body } = await api("POST", "/api/ticket/orders", { json, key: stableKey(purpose(json)), timeoutMs: 40000 });
      dropKey(purpose(json));
      // An order of before that came to nothing, as when its payment was given up: the places are held still, and are ordered anew.
      if (status === 200 && body.status === "CANCELLED") continue;
      return body;
    } catch (problem) {
      // Another tab, or the press before, is making an order of this hold just now.
      const isBusy = problem.code === "order_busy" && ++busyTimes <= BUSY_TRIES;
      if (problem.code !== "too_many_at_once" && !isBusy) throw problem;
      if (!isBusy && !isToldToWait) {
        note($("problem"), "info", t("order_waits")).scrollIntoView({ block: "center" });
        announce(t("order_waits"));
        isToldToWait = true;
      }
      if (hold.can_extend && left(until, performance.now()) < EXTEND_BELOW_S) await api("POST", `${path}/extend`).then(({ body }) => take(body), () => {});
      // Not all at the same moment again.
      await new Promise((resolve) => setTimeout(resolve, ((problem.retryAfter ?? 1) + Math.random()) * 1000));
    }
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (concessions.check() && check(form, $("problem"))) busy($("pay"), pay);
});
$("extend").addEventListener("click", (event) => busy(event.currentTarget, extend));
$("release").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  if (!(await ask({ title: t("release_title"), text: t("release_text"), yes: t("release_yes"), isDanger: true, testid: "release-confirm" }))) return;
  await busy(button, async () => {
    try {
      await api("DELETE", path);
      dropKey(id);
      forgetChoice(id);
      location.assign(`/performances/${encodeURIComponent(hold.performance_id)}`);
    } catch (problem) {
      if (!goToLogin(problem)) toast(problem.message, "bad");
    }
  });
});

start();
