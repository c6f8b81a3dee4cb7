// The event page: choosing a date and a performance.
import { api } from "../lib/api.js";
import { client, embedded, t } from "../lib/client.js";
import { $, h, icon, show } from "../lib/dom.js";
import { clock, dateKey, day, moment, month, number, otherZone, shortMonth, weekday } from "../lib/format.js";
import "../lib/page.js";
import { monthGrid, stateOf, whyNone } from "../lib/calendar.js";
import { openings, presaleOf, untilNext } from "../lib/presale.js";
import { conditions, isOver, offText } from "../lib/concessions.js";
import { calledOff, readTerms, termsList } from "../lib/terms.js";

const REFRESH_MS = 10000;
const STRIP_UP_TO = 10;
const SUNDAY_ON = ["2023-01-01", "2023-01-02", "2023-01-03", "2023-01-04", "2023-01-05", "2023-01-06", "2023-01-07"];

let offers = embedded("performances", []).map(fromPage);
const isNumbered = $("picker").dataset.numbered === "yes";
let chosenDay = null;
let chosen = null;
let shownMonth = null;
let shownDays = "";
let terms = null;
let off = new Set();
let aheadMs = 0; // by so much the server's clock is ahead of the visitor's

function fromPage(item) {
  const { opens_at, closes_at, presale } = item.sales || {};
  return { id: item.id, starts_at: item.starts_at, on_sale: item.is_on_sale, opens_at, closes_at, presale, free: item.free, is_called_off: item.is_called_off };
}

function fromSeat(item) {
  return { id: item.id, starts_at: item.starts_at, on_sale: item.on_sale, ...item.sales, free: item.free, is_called_off: item.is_called_off };
}

const byDay = () => Map.groupBy ? Map.groupBy(offers, (each) => dateKey(each.starts_at)) : offers.reduce((map, each) => map.set(dateKey(each.starts_at), [...(map.get(dateKey(each.starts_at)) || []), each]), new Map());
/** The ticket service knows first that a performance was called off; the seat service is told. */
const marked = (list) => list.map((each) => ({ ...each, is_called_off: each.is_called_off || off.has(each.id) }));
/** What the days are drawn by. */
const stateOfAll = () => offers.map((each) => `${each.starts_at} ${stateOf(each, serverNow())}`).join();
const isComing = (offer) => stateOf(offer, serverNow()) === "not_yet";
const isOpen = (offer) => ["open", "presale"].includes(stateOf(offer, serverNow()));
const serverNow = () => Date.now() + aheadMs;

function start() {
  if (!offers.length) return;
  show($("picker-plain"), false);
  show($("picker-live"));
  const first = offers.find(isOpen) || offers[0];
  chosenDay = dateKey(first.starts_at);
  shownMonth = chosenDay.slice(0, 7);
  draw();
  refreshTerms();
  if (presaleOf(first, serverNow())) startPresale();
  setInterval(() => !document.hidden && refresh(), REFRESH_MS);
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
}

async function refreshTerms() {
  terms = await readTerms({ anew: true });
  off = calledOff(terms);
  drawTerms();
  if (!off.size) return;
  offers = marked(offers);
  drawDays();
  drawTimes();
  drawBar();
}

async function refresh() {
  try {
    const [{ body, headers }, found] = await Promise.all([api("GET", "/api/seat/performances"), readTerms({ anew: true })]);
    aheadMs = aheadBy(headers.get("Date"));
    if (found) terms = found;
    if (!body.length) return;
    off = calledOff(terms);
    offers = marked(body.map(fromSeat)).sort((a, b) => a.starts_at.localeCompare(b.starts_at) || a.id.localeCompare(b.id));
    const days = byDay();
    if (!days.has(chosenDay)) chosenDay = dateKey((offers.find(isOpen) || offers[0]).starts_at);
    if (![...days.keys()].some((key) => key.startsWith(shownMonth))) shownMonth = chosenDay.slice(0, 7);
    if (stateOfAll() !== shownDays) drawDays();
    drawTimes();
    drawBar();
  } catch {
    // What is shown stays; the next try comes soon.
  }
}

/** By how much a clock that says DATE is ahead of this browser's; a second or two are nothing. */
function aheadBy(date) {
  const by = date ? Date.parse(date) + 500 - Date.now() : 0;
  return Math.abs(by) > 2000 ? by : 0;
}

/** When OFFER can be booked first, in words. */
function opensText(offer) {
  const presale = presaleOf(offer, serverNow());
  return presale ? openings(presale)[0] : t("opens", { when: moment(offer.opens_at) });
}

// ---- the presale: both openings, and how long it is until the next one

function startPresale() {
  refresh(); // by its answer the clock is set
  let phase = null;
  const tick = () => {
    const now = serverNow();
    const presale = presaleOf(offers[0], now);
    show($("presale"), Boolean(presale));
    if (presale) {
      if (phase !== presale.isOpen) drawPresale(presale);
      $("presale-left").textContent = untilNext(presale, now);
    } else clearInterval(ticking);
    const is = presale && presale.isOpen;
    if (phase !== null && is !== phase) refresh();
    phase = is;
  };
  const ticking = setInterval(tick, 1000);
  tick();
}

function drawPresale(presale) {
  $("presale-openings").replaceChildren(...openings(presale).map((text) => h("span", {}, text)));
  show($("presale-help"), presale.isOpen);
  show($("presale-early"), !presale.isOpen);
  $("presale-early-link").href = `/performances/${encodeURIComponent(offers[0].id)}`;
}

function draw() {
  $("picker-live").replaceChildren(h("div", { id: "days" }), h("div", { id: "times", class: "times" }), h("div", { id: "go" }));
  drawDays();
  drawTimes();
  drawBar();
}

// ---- days: radio buttons, in a strip when they are few, in a month's grid when they are many

/** Why nothing can be booked on a day with the performances LIST: in one word where they are all alike. */
function whyClosed(list) {
  const states = new Set(list.map((each) => stateOf(each, serverNow())));
  if (states.size > 1) return t("nothing_open");
  return states.has("called_off") ? t("called_off") : states.has("sold_out") ? t("sold_out") : t("nothing_open");
}

function dayOption(key, offers_, text, className) {
  const isAnyOpen = offers_.some(isOpen);
  const id = `day-${key}`;
  const input = h("input", { type: "radio", name: "day", id, value: key, checked: key === chosenDay, on: { change: () => pickDay(key) } });
  const said = `${day(offers_[0].starts_at)}${isAnyOpen ? "" : `, ${whyClosed(offers_)}`}`;
  return h("label", { class: `${className}${isAnyOpen ? "" : offers_.some(isComing) ? " is-coming" : " is-closed"}`, for: id }, input, h("span", { class: "hidden-visually" }, said), h("span", { class: "day__face", "aria-hidden": "true" }, text));
}

function drawDays() {
  const focused = document.activeElement?.name === "day" ? document.activeElement.id : null;
  shownDays = stateOfAll();
  const days = byDay();
  const isStrip = days.size <= STRIP_UP_TO;
  const legend = h("legend", { class: "picker__label" }, t("date"));
  $("days").replaceChildren(h("fieldset", { class: "days" }, legend, isStrip ? strip(days) : calendar(days)));
  if (focused) $(focused)?.focus();
}

function strip(days) {
  const parts = [...days].map(([key, list]) => {
    const text = [h("span", { class: "day__week" }, weekday(key)), h("span", { class: "day__number" }, String(Number(key.slice(8)))), h("span", { class: "day__month" }, shortMonth(key))];
    return dayOption(key, list, text, `day${weekendClass(key)}`);
  });
  return h("div", { class: "strip" }, parts);
}

const weekendClass = (key) => ({ 0: " is-sunday", 6: " is-saturday" })[new Date(`${key}T12:00:00Z`).getUTCDay()] || "";

function calendar(days) {
  const monthsWith = [...new Set([...days.keys()].map((key) => key.slice(0, 7)))];
  const at = monthsWith.indexOf(shownMonth);
  const go = (by) => {
    shownMonth = monthsWith[at + by];
    drawDays();
    $(by < 0 ? "month-before" : "month-after").focus();
  };
  const arrow = (by, id, name, symbol) =>
    h("button", { type: "button", class: "round", id, "aria-label": name, "aria-disabled": String(!monthsWith[at + by]), on: { click: () => monthsWith[at + by] && go(by) } }, icon(symbol));
  const head = h("div", { class: "month__head" }, arrow(-1, "month-before", t("month_before"), "left"), h("strong", { "aria-live": "polite" }, month(`${shownMonth}-15T12:00:00Z`)), arrow(1, "month-after", t("month_after"), "right"));
  const names = SUNDAY_ON.map((key) => h("span", { class: "month__week", "aria-hidden": "true" }, weekday(key)));
  const cells = monthGrid(shownMonth).map((key) => {
    if (key === null) return h("span", {});
    const text = String(Number(key.slice(8)));
    return days.has(key) ? dayOption(key, days.get(key), text, `cell${weekendClass(key)}`) : h("span", { class: "cell cell--none", "aria-hidden": "true" }, text);
  });
  return h("div", { class: "month" }, head, h("div", { class: "month__grid" }, names, cells));
}

function pickDay(key) {
  chosenDay = key;
  chosen = null;
  drawTimes();
  drawBar();
}

// ---- performances of the day

function drawTimes() {
  const focused = document.activeElement?.name === "time" ? document.activeElement.value : null;
  const list = byDay().get(chosenDay) || [];
  if (!list.some((each) => each.id === chosen && isOpen(each))) chosen = list.filter(isOpen).length === 1 ? list.find(isOpen).id : null;
  const options = list.map((offer, index) => {
    const state = stateOf(offer, serverNow());
    const status = { open: offer.free === null || offer.free === undefined ? "" : t(isNumbered ? "left" : "left_places", { count: number(offer.free) }), called_off: t("called_off"), sold_out: t("sold_out"), presale: t("presale_now", { name: offer.presale?.name }), not_yet: offer.opens_at ? opensText(offer) : t("not_on_sale"), over: t("sales_over") }[state];
    const input = h("input", { type: "radio", name: "time", id: `time-${offer.id}`, value: offer.id, disabled: !isOpen(offer), checked: offer.id === chosen, on: { change: () => pickTime(offer.id) } });
    return h(
      "label",
      { class: `time${state === "not_yet" ? " is-coming" : ""}`, for: `time-${offer.id}`, "data-testid": `performance-${offer.id}` },
      input,
      h("span", { class: "time__face" }, h("span", { class: "time__nth" }, t("nth", { nth: index + 1 })), h("strong", {}, clock(offer.starts_at)), h("span", { class: `time__left${state === "open" && offer.free < 50 && offer.free !== null ? " is-few" : ""}` }, status)),
    );
  });
  const zone = list.length ? otherZone(list[0].starts_at) : null;
  $("times").replaceChildren(h("fieldset", {}, h("legend", { class: "picker__label" }, t("performance")), options), zone ? h("p", { class: "picker__zone quiet" }, t("zone_of_venue", { zone })) : "");
  if (focused) $(`time-${focused}`)?.focus();
  drawGo();
}

function pickTime(id) {
  chosen = id;
  drawGo();
  drawBar();
}

const seatPath = () => `/performances/${encodeURIComponent(chosen)}`;

/** LIST, none of which can be booked, in words. */
function whyNot(list) {
  const { state, opens_at } = whyNone(list, serverNow());
  return opens_at ? opensText(list.find((offer) => offer.opens_at === opens_at)) : t({ called_off: "called_off", sold_out: "sold_out", not_yet: "not_on_sale", over: "sales_over" }[state]);
}

function drawGo() {
  const list = byDay().get(chosenDay) || [];
  const go = chosen
    ? h("a", { class: "button button--primary button--large button--wide", href: seatPath(), "data-testid": "book" }, t(isNumbered ? "choose_seats" : "choose_places"))
    : h("p", { class: "picker__hint quiet" }, list.some(isOpen) ? t("choose_time") : offers.some(isOpen) ? t("nothing_open") : whyNot(list));
  $("go").replaceChildren(go);
}

function drawBar() {
  const offer = offers.find((each) => each.id === chosen);
  const isAny = offers.some(isOpen);
  $("bar-text").textContent = offer ? moment(offer.starts_at) : isAny ? t("choose_date") : whyNot(offers);
  show($("bar-button"), isAny);
  $("bar-button").textContent = offer ? t(isNumbered ? "choose_seats" : "choose_places") : t("book");
  $("bar-button").href = offer ? seatPath() : "#booking";
  drawTerms();
}

/** What may be booked for less, and by whom. */
function drawConcessions() {
  const now = serverNow();
  const open = (terms?.concessions || []).filter((each) => !isOver(each, now));
  show($("concessions"), open.length > 0);
  $("concessions-list").replaceChildren(
    ...open.map((each) =>
      h(
        "li",
        { class: "offer" },
        h("p", { class: "offer__head" }, h("strong", {}, each.name), h("span", { class: "offer__off" }, offText(each))),
        h("p", { class: "quiet" }, conditions(each, offers, now).join(" · ")),
        each.proof ? h("p", {}, each.proof) : null,
      ),
    ),
  );
}

/** What cancelling costs for the performance that is chosen, or for the first of the day. */
function drawTerms() {
  drawConcessions();
  const offer = offers.find((each) => each.id === chosen) || (byDay().get(chosenDay) || [])[0];
  show($("terms"), Boolean(terms && offer));
  if (!terms || !offer) return;
  $("terms").replaceChildren(h("h3", {}, t("terms")), h("p", { class: "quiet" }, moment(offer.starts_at)), termsList(terms, offer.id, { isPaid: client.payment !== "none" }));
}

start();
