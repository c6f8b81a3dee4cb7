// One ticket, to show at the door: a large code, the place, the time.
import { api, goToLogin } from "../lib/api.js";
import { embedded, t } from "../lib/client.js";
import { $, fill, h, icon, note, show } from "../lib/dom.js";
import { download } from "../lib/download.js";
import { clock, day, moment, won } from "../lib/format.js";
import { kindOf, placeName } from "../lib/places.js";
import { calledOff, readTerms } from "../lib/terms.js";
import "../lib/page.js";

const id = $("page").dataset.ticket;
const path = `/api/ticket/tickets/${encodeURIComponent(id)}`;

async function start() {
  let ticket;
  try {
    ticket = (await api("GET", path)).body;
  } catch (problem) {
    if (goToLogin(problem)) return;
    show($("loading"), false);
    note($("problem"), "bad", problem.status === 404 ? t("ticket_unknown") : problem.isPassing ? t("orders_down") : problem.message);
    return;
  }
  show($("loading"), false);
  $("back").href = `/orders/${ticket.order_id}`;
  draw(ticket, false);
  if (ticket.status === "LIVE" && !ticket.used_at) keepAwake();
  if (calledOff(await readTerms()).has(ticket.performance_id)) draw(ticket, true);
}

function draw(ticket, isOff) {
  const offer = embedded("performances", []).find((each) => each.id === ticket.performance_id);
  const isLive = ticket.status === "LIVE" && !isOff;
  const { venue } = $("page").dataset;
  const brand = document.querySelector(".top__brand").textContent;
  fill(
    $("ticket"),
    h(
      "article",
      { class: `pass${isLive ? "" : " is-void"}`, "data-testid": "ticket-card" },
      h("header", { class: "pass__head" }, h("p", { class: "pass__title" }, brand), offer ? h("p", { class: "pass__when" }, h("span", {}, day(offer.starts_at)), h("strong", {}, clock(offer.starts_at))) : null, venue ? h("p", { class: "pass__venue" }, venue) : null),
      isLive
        ? h("div", { class: "pass__code" }, h("img", { src: `${path}/qr.svg`, alt: t("qr_alt"), width: 280, height: 280, "data-testid": "qr" }), ticket.used_at ? h("p", { class: "pass__used", "data-testid": "ticket-used" }, icon("check"), t("ticket_used", { when: moment(ticket.used_at) })) : null)
        : h("p", { class: "pass__void" }, t(isOff ? "ticket_called_off" : "ticket_cancelled")),
      h("div", { class: "pass__place" }, h("strong", { "data-testid": "ticket-place" }, placeName(ticket.place.label)), h("span", {}, `${kindOf(ticket.place)} · ${won(ticket.place.price_krw)}`), isLive ? atDoor(ticket) : null, isLive && ticket.place.proof ? h("p", { class: "pass__proof", "data-testid": "ticket-proof" }, h("span", {}, t("proofs")), h("strong", {}, ticket.place.proof)) : null),
      h("p", { class: "pass__number quiet" }, t("ticket_number", { number: ticket.id.slice(0, 8).toUpperCase() })),
    ),
    isLive ? h("p", { class: "pass__hint quiet" }, t("ticket_hint")) : null,
    isLive ? h(
          "p",
          { class: "pass__actions" },
          download(`${path}/ticket.pdf`, t("ticket_pdf"), { symbol: "ticket", testid: "ticket-pdf" }),
          offer ? download(`${path}/event.ics`, t("ticket_calendar"), { symbol: "calendar", testid: "ticket-calendar" }) : null,
          h("button", { type: "button", class: "button", on: { click: () => window.print() } }, icon("print"), t("print")),
        )
      : null,
  );
  show($("ticket"));
}

/** What is still to be paid at the entrance for TICKET, or was. */
function atDoor(ticket) {
  if (ticket.due_krw) return h("span", { "data-testid": "ticket-due" }, `${t("door_due")} · ${won(ticket.due_krw)}`);
  return ticket.paid_at_door_krw ? h("span", { "data-testid": "ticket-paid" }, icon("check"), t("door_paid")) : null;
}

/** A screen that goes dark in the queue cannot be scanned. Not every browser can keep it on. */
async function keepAwake() {
  const lock = async () => {
    try {
      await navigator.wakeLock?.request("screen");
    } catch {
      // refused, for instance to save the battery
    }
  };
  document.addEventListener("visibilitychange", () => !document.hidden && lock());
  await lock();
}

start();
