// Choosing seats or places of one performance, and holding them.
import { api, goToLogin } from "../lib/api.js";
import { embedded, t } from "../lib/client.js";
import { $, announce, busy, h, note, show } from "../lib/dom.js";
import { moment } from "../lib/format.js";
import "../lib/page.js";
import { Areas } from "../seats/areas_panel.js";
import { holdPlaces, memoryOf } from "../seats/hold.js";
import { Availability, Poll } from "../seats/availability.js";
import { offerBest } from "../seats/best.js";
import { openHoldNote } from "../seats/open_hold.js";
import { Room, isForRoom } from "../seats/room.js";
import { tab } from "../lib/storage.js";
import { presaleOf } from "../lib/presale.js";
import { calledOff, readTerms } from "../lib/terms.js";
import { SoldOut } from "../seats/sold_out.js";
import { Seats } from "../seats/seats_panel.js";
import { readPlan } from "../seats/plan.js";

const performance = $("booth").dataset.performance;
const offer = embedded("performances", []).find((each) => each.id === performance);
const memory = memoryOf(performance);
const notices = $("notices");
const PLAN = "clove.plan"; // the version that this tab was told of last
const AGAIN_MS = 5000;
const DAY_MS = 24 * 3600 * 1000;
const SPREAD_MS = 1000; // all who wait for the opening ask for a number within this
const room = new Room(performance, embedded("performances", []));
let choice = null;
let poll = null;
let isClosed = false;
let opening; // timer
let entering = Promise.resolve();
let isUnsure = false; // whether an answer to a hold was lost
let isLeaving = false;
let trouble = null; // the note that seats do not answer
let code = null; // the field for a presale code, where there is a presale

async function start() {
  if (!$("when").textContent.trim() && offer) $("when").textContent = moment(offer.starts_at);
  const early = loadPlan().catch(() => null); // its file is on the way already
  await enter();
  let document_;
  try {
    document_ = (await early) || (await loadPlan());
  } catch (problem) {
    show($("loading"), false);
    const again = h("button", { type: "button", class: "button", on: { click: () => location.reload() } }, t("try_again"));
    note(notices, "bad", problem.isPassing ? t("seats_down") : problem.message, again);
    return;
  }
  await entering; // a code that was typed before logging in may have led into the queue meanwhile
  const plan = readPlan(document_);
  const availability = new Availability(plan.count);
  const soldOut = new SoldOut(availability);
  const make = document_.numbered ? Seats : Areas;
  choice = new make(document_, plan, availability, { changed });
  poll = new Poll(performance, availability, {
    change: (seats, isFirst) => {
      if (availability.isCalledOff) return closeBooth();
      if (isOutdated(plan, availability)) return;
      if (isFirst) {
        show($("loading"), false);
        const wanted = remembered();
        choice.open();
        choice.restore(wanted);
      }
      const gone = choice.update(seats);
      soldOut.update();
      return lost(gone);
    },
    failure: (problem) => {
      if (problem.status === 404) {
        poll.stop();
        show($("loading"), false);
        note(notices, "bad", t("performance_gone"));
      } else if (poll.failures === 3 || availability.version === null) {
        trouble = note(notices, "warn", availability.version === null ? t("seats_down") : t("seats_stale"));
      }
    },
    recovery: () => trouble?.remove(), // and nothing else: what was said of seats that are lost, or of a hold, still holds
  });
  await poll.now();
  if (isClosed) return;
  closedNote();
  openHoldNote(performance, notices);
  if (document_.numbered) offerBest(performance, document_, { free: () => (availability.version === null ? null : choice.freeByGrade()), refused });
}

/** The sale opens, or there is a queue by now: into the waiting room, and back to the seats when it is one's turn. */
async function queueUp() {
  if (isClosed) return;
  poll?.stop();
  await enter();
  if (!isClosed) await poll?.resume();
}

/** At the opening for this visitor, to which it is so long. */
function queueUpIn(opensInS) {
  clearTimeout(opening);
  if (opensInS !== null && opensInS * 1000 < DAY_MS) opening = setTimeout(queueUp, opensInS * 1000 + Math.random() * SPREAD_MS);
}

/** Into the waiting room and out of it, one after the other; and once more at the opening. */
function enter() {
  return (entering = entering.then(comeIn).then(queueUpIn));
}

/** In how many seconds there is something to queue up for. Before the sale opens to all, the field for a presale code is beside the seats. */
async function comeIn() {
  let told = await room.enter();
  const presale = presaleOf(offer?.sales, Date.now());
  if (!code && !told.needsCode && !presale) return told.opensInS;
  try {
    code ??= new (await import("../seats/code.js")).CodeField(accepted);
    if (told.needsCode && (await code.hasCode())) told = await room.enter();
    code.draw(presale, told);
  } catch {
    // Its file did not come: the seats can be looked at, and a hold says what is missing.
  }
  return told.opensInS;
}

/** This account may buy early, as TEXT says: its place in the queue, and then the seats. */
async function accepted(text) {
  await queueUp();
  note(notices, "good", text);
}

/** Called off: nothing of it is offered any more. */
function closeBooth() {
  if (isClosed) return;
  isClosed = true;
  poll.stop();
  tab.drop(memory);
  if ($("best-dialog").open) $("best-dialog").close();
  for (const part of ["loading", "numbered", "areas", "view", "best", "panel", "sold-out", "code"]) show($(part), false);
  const text = `${t("called_off_title")}. ${t("called_off_choose_text")}`;
  note(notices, "warn", text);
  announce(text, { now: true });
}

/** Seats may be looked at before and after the sale; that they cannot be had is said at once, not when one tries. */
async function closedNote() {
  if (calledOff(await readTerms()).has(performance)) {
    closeBooth();
    return;
  }
  if (!offer || offer.is_on_sale || presaleOf(offer.sales, Date.now())) return; // of a presale it is said beside its code
  const opensAt = offer.sales.opens_at;
  const waitMs = opensAt ? Date.parse(opensAt) - Date.now() : 0;
  const said = note(notices, "warn", waitMs > 0 ? t("opens", { when: moment(opensAt) }) : t("sales_over"));
  if (waitMs > 0 && waitMs < DAY_MS) setTimeout(() => said.remove(), waitMs); // who waits here for the sale goes on from here
}

/** The plan of the page's address, or the one that availability has told of since: the page may still be of before it for some seconds. */
async function loadPlan() {
  const { body } = await api("GET", $("booth").dataset.plan);
  const told = tab.read(PLAN);
  return !told || told === body.version ? body : (await api("GET", `/api/seat/plan?v=${encodeURIComponent(told)}`)).body;
}

/** The seller has changed the plan: its seats' numbers mean other seats now, so the page starts again, at once or, where that was in vain, later. */
function isOutdated(plan, availability) {
  const isOther = Boolean(availability.plan) && availability.plan !== plan.version;
  if (isOther && !isLeaving) {
    isLeaving = true;
    const wasInVain = tab.read(PLAN) === availability.plan;
    tab.write(PLAN, availability.plan);
    setTimeout(() => location.reload(), wasInVain ? AGAIN_MS : 0);
  }
  return isOther;
}

/** Chosen seats that somebody else has now. */
function lost(names) {
  if (!names.length) return;
  note(notices, "warn", t("seats_lost", { places: names.join(", ") }));
  announce(t("seats_lost", { places: names.join(", ") }), { now: true });
  if (isUnsure) openHoldNote(performance, notices); // it may be this very buyer who has them
}

function changed() {
  const wanted = choice.request();
  if (wanted) tab.write(memory, JSON.stringify(wanted));
  else tab.drop(memory);
  $("hold").setAttribute("aria-disabled", String(!wanted));
}

/** What was chosen before logging in, or null. */
function remembered() {
  try {
    return JSON.parse(tab.read(memory) || "null");
  } catch {
    return null;
  }
}

async function hold() {
  const wanted = choice.request();
  if (!wanted) return;
  try {
    await holdPlaces(performance, wanted);
  } catch (problem) {
    if (goToLogin(problem)) return;
    isUnsure ||= problem.isPassing;
    await refused(problem);
  }
}

async function refused(problem) {
  if (problem.code === "performance_called_off") return closeBooth();
  if (isForRoom(problem)) {
    await queueUp();
    note(notices, "info", t("room_hold_again"));
    announce(t("room_hold_again"));
    return;
  }
  if (problem.code === "not_on_sale" && problem.body.presale) await queueUp(); // the code was taken back, or it is another account
  if (problem.code === "seats_taken" || problem.code === "area_full") await poll.now();
  const text = choice.refusal(problem);
  if (problem.code === "limit_exceeded") {
    const actions = h("a", { class: "button button--small", href: "/orders" }, t("my_bookings"));
    note(notices, "warn", text, actions);
  } else {
    note(notices, problem.isPassing ? "bad" : "warn", text);
  }
  announce(text, { now: true });
}

$("hold").addEventListener("click", (event) => busy(event.currentTarget, hold).then(() => choice && changed()));
$("panel-toggle").addEventListener("click", () => {
  const isOpen = $("panel").classList.toggle("is-open");
  $("panel-toggle").setAttribute("aria-expanded", String(isOpen));
});

start();
