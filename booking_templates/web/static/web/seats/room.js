// The waiting room: a place in the queue, kept by this browser, shown until it comes; then the page goes on by itself.
import { api } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, announce, clear, note, show } from "../lib/dom.js";
import { number } from "../lib/format.js";
import { browser } from "../lib/storage.js";

const TURN = "clove.turn"; // all tabs of a browser share one place: a second one does not make somebody behind wait longer
const TURN_LOCK = "clove-turn";
const HEADER = "X-Clove-Turn";
const FASTEST_S = 3;
const SLOWEST_S = 180;
const PAUSED_S = 10;
const BACK_OFF_S = 60;
const SAY_EVERY_MS = 60000;
const SPREAD_MS = 300;
const ROOM_CODES = ["waiting_room", "turn_taken", "turn_over"];

/** The headers that let a hold in. */
export function turnHeaders() {
  const turn = browser.read(TURN);
  return turn ? { [HEADER]: turn } : {};
}

/** Whether PROBLEM sends its buyer to the waiting room; a turn that somebody else uses is given up. */
export function isForRoom(problem) {
  if (problem.code === "turn_taken") browser.drop(TURN);
  return ROOM_CODES.includes(problem.code);
}

/** How the one with NUMBER stands in ROOM, as the server told it AGO seconds before; WAIT_S is null while nobody is let in. Pure. */
export function standing(number_, room, ago) {
  const perS = room.is_paused ? 0 : room.per_minute / 60;
  const left = room.is_on ? Math.max(0, Math.ceil(number_ - room.admitted - perS * ago)) : 0;
  return { isIn: left === 0, ahead: Math.max(0, left - 1), behind: Math.max(0, room.given - number_), waitS: left === 0 ? 0 : perS ? left / perS : null };
}

/** After how many seconds to ask again: the longer the wait, the more rarely, so that all of a hundred thousand ask less than a thousand times a second. Pure. */
export function pauseS({ waitS, ahead }, failures, retryAfter) {
  if (retryAfter) return retryAfter;
  if (failures) return Math.min(BACK_OFF_S, 2 ** failures);
  return Math.min(SLOWEST_S, waitS === null ? Math.max(PAUSED_S, ahead / 100) : Math.max(FASTEST_S, waitS / 2));
}

/** The text for who waits for the performance WANTED, one of OFFERS, when ROOM says that nothing of it is left; else null. Pure. */
export function leftText(room, wanted, offers) {
  if (room.closed?.includes(wanted)) return "room_closed"; // an older seat service tells nothing of it
  if (!room.sold_out?.includes(wanted)) return null;
  return offers.some(({ id }) => !room.sold_out.includes(id) && !room.closed.includes(id)) ? "room_sold_out" : "room_all_sold_out";
}

/** What WORK comes to, once no other tab is at it. The lock is held for longer: what a tab writes reaches another's process after a while. */
function inTurn(work) {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(TURN_LOCK, async () => {
        resolve(await work());
        await new Promise((told) => setTimeout(told, SPREAD_MS));
      })
      .catch(reject);
  });
}

/** "less than a minute", "about 3 min" */
function said(waitS) {
  if (waitS === null) return t("room_wait_unknown");
  return waitS < 60 ? t("room_wait_soon") : t("room_wait", { count: number(Math.ceil(waitS / 60)) });
}

export class Room {
  /** For who wants the performance WANTED, one of OFFERS. */
  constructor(wanted, offers) {
    Object.assign(this, { wanted, offers });
    this.number = null;
    this.room = null;
    this.toldAt = 0;
    this.most = 0;
    this.failures = 0;
    this.retryAfter = null;
    this.saidAt = -Infinity;
    this.left = null;
    this.title = document.title;
    this.wake = () => {};
    document.addEventListener("visibilitychange", () => document.hidden || this.seen());
    $("room-again").addEventListener("click", () => this.wake());
  }

  /** The tab is looked at again. */
  seen() {
    if ($("room").hidden) document.title = this.title;
    this.wake();
  }

  /** Resolves when this browser is in. To {opensInS, needsCode}: seconds until the sale opens to it, when there will be numbers, or null; whether it takes a code. */
  async enter() {
    let told = {};
    this.number = null;
    while (!(await this.ask((answer) => (told = answer)))) await this.pause();
    if (!$("room").hidden) this.leave();
    return { opensInS: told.opens_in_s ?? null, needsCode: Boolean(told.needs_code) };
  }

  /** Ask for a place, or how it stands; whether this browser is in. ON_TURN gets the answer to the former. */
  async ask(onTurn) {
    try {
      if (this.number === null || this.number > this.room.given) onTurn(await this.takeTurn());
      else this.take((await api("GET", "/api/seat/room", { timeoutMs: 8000 })).body);
      this.failures = 0;
      this.retryAfter = null;
    } catch (problem) {
      if (!problem.isPassing) return true; // nothing is sold here: the page itself says so
      this.failures += 1;
      this.retryAfter = problem.retryAfter;
      return false;
    }
    return this.number === null || standing(this.number, this.room, 0).isIn;
  }

  /** Tabs that are opened at once take turns: the second one finds the place of the first. */
  async takeTurn() {
    const take = async () => {
      const { body } = await api("POST", "/api/seat/room/turns", { json: { turn: browser.read(TURN) || "" }, timeoutMs: 15000 });
      if (body.turn) browser.write(TURN, body.turn);
      return body;
    };
    const told = await (navigator.locks ? inTurn(take) : take());
    this.number = told.number;
    this.take(told.room);
    return told;
  }

  take(room) {
    this.room = room;
    this.toldAt = performance.now();
  }

  /** Show how it stands until it is time to ask again. */
  async pause() {
    const ask = { inS: Infinity };
    const woken = new Promise((resolve) => (this.wake = resolve));
    const now = this.draw();
    ask.inS = pauseS(now ?? { waitS: null, ahead: 0 }, this.failures, this.retryAfter) * (0.85 + Math.random() * 0.3);
    if (now?.waitS) ask.inS = Math.min(ask.inS, now.waitS + Math.random());
    const ticking = setInterval(() => this.draw(), 1000);
    const waited = setTimeout(this.wake, ask.inS * 1000);
    await woken;
    clearInterval(ticking);
    clearTimeout(waited);
  }

  draw() {
    const isNew = $("room").hidden;
    show($("room"));
    document.body.classList.add("is-waiting");
    show($("room-down"), this.failures > 0);
    const isKnown = this.number !== null && this.room !== null;
    for (const part of ["room-line", "room-bar", "room-facts"]) show($(part), isKnown);
    if (isNew) $("room-title").focus();
    if (!isKnown) return null;
    const now = standing(this.number, this.room, (performance.now() - this.toldAt) / 1000);
    this.most = Math.max(this.most, now.ahead);
    $("room-ahead").textContent = number(now.ahead);
    $("room-unit").textContent = t("room_unit", { count: now.ahead });
    $("room-behind").textContent = t("room_people", { count: number(now.behind) });
    $("room-wait").textContent = said(now.waitS);
    $("room-bar").max = Math.max(1, this.most);
    $("room-bar").value = this.most - now.ahead;
    show($("room-paused"), this.room.is_paused);
    const isOther = this.tellLeft();
    document.title = t("room_tab", { count: number(now.ahead), title: this.title });
    this.say(now, isOther);
    return now;
  }

  /** Show what is left of the performance; whether that is something else than before. */
  tellLeft() {
    const text = leftText(this.room, this.wanted, this.offers);
    if (text === this.left) return false;
    this.left = text;
    note($("room-left"), text ? "warn" : "good", t(text ?? "free_again"));
    return true;
  }

  /** To screen readers: at once, when what is left IS_OTHER, and else once a minute. */
  say({ ahead, waitS }, isOther) {
    if (!isOther && performance.now() - this.saidAt < SAY_EVERY_MS) return;
    this.saidAt = performance.now();
    const left = isOther ? t(this.left ?? "free_again") : "";
    announce(`${t("room_said", { count: number(ahead), wait: said(waitS) })} ${left}`.trim());
  }

  leave() {
    show($("room"), false);
    document.body.classList.remove("is-waiting");
    document.title = document.hidden ? t("room_tab_in", { title: this.title }) : this.title;
    this.most = 0;
    this.saidAt = -Infinity;
    this.left = null;
    clear($("room-left"));
    announce(t("room_in"), { now: true });
    $("booth-title").focus();
  }
}
