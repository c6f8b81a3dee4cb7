// Which places are free, as the server last said: a full answer first, then what changed since its version.
import { api } from "../lib/api.js";

const FASTEST_MS = 1000;
const SLOWEST_MS = 3000;
const BACK_OFF_MS = 15000;

export class Availability {
  constructor(count) {
    this.states = new Uint8Array(count);
    this.areas = new Map();
    this.heldInAreas = 0;
    this.version = null;
    this.plan = null;
    this.etag = "";
    this.isCalledOff = false;
  }

  /** Take an answer in; the indices whose state is another now. Areas are replaced whole. */
  apply(answer) {
    const changed = [];
    const put = (index, state) => {
      if (index >= this.states.length || this.states[index] === state) return;
      this.states[index] = state;
      changed.push(index);
    };
    if (answer.full) for (let i = 0; i < answer.state.length; i++) put(i, answer.state.charCodeAt(i) - 48);
    else for (const [index, state] of answer.changes) put(index, state);
    for (const [id, area] of Object.entries(answer.areas || {})) this.areas.set(id, area.free);
    this.heldInAreas = Object.values(answer.areas || {}).reduce((sum, area) => sum + (area.held || 0), 0);
    this.version = answer.version;
    this.plan = answer.plan;
    this.isCalledOff = Boolean(answer.is_called_off);
    return changed;
  }

  isFree(index) {
    return this.states[index] === 0;
  }

  /** Whether nothing at all is free. */
  get isSoldOut() {
    return !this.states.includes(0) && [...this.areas.values()].every((free) => !free);
  }

  /** Whether something is held, which may come back. */
  get isSomeHeld() {
    return this.heldInAreas > 0 || this.states.includes(1);
  }
}

/** How long to wait: a second while seats are going, up to three when nothing happens, longer when the server does not answer. */
export function pause(quietPolls, failures) {
  if (failures) return Math.min(BACK_OFF_MS, SLOWEST_MS * 2 ** (failures - 1));
  return Math.min(SLOWEST_MS, FASTEST_MS + quietPolls * 250);
}

/** Asks again and again while the page is in sight. ON: change(changedIndices, wasFirst), failure(problem), recovery(). */
export class Poll {
  constructor(performance, availability, on) {
    this.path = `/api/seat/performances/${encodeURIComponent(performance)}/availability`;
    this.availability = availability;
    this.on = on;
    this.quiet = 0;
    this.failures = 0;
    this.timer = 0;
    this.asking = null;
    this.isStopped = false;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) clearTimeout(this.timer);
      else this.now();
    });
  }

  /** Ask at once; resolves when the answer is in. */
  now() {
    clearTimeout(this.timer);
    this.asking ??= this.ask().finally(() => {
      this.asking = null;
      if (document.hidden || this.isStopped) return;
      const jitter = 0.9 + Math.random() * 0.2;
      this.timer = setTimeout(() => this.now(), pause(this.quiet, this.failures) * jitter);
    });
    return this.asking;
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  resume() {
    this.isStopped = false;
    return this.now();
  }

  async ask() {
    const { availability } = this;
    const isFirst = availability.version === null;
    const query = isFirst ? "" : `?since=${encodeURIComponent(availability.version)}`;
    const headers = availability.etag && !isFirst ? { "If-None-Match": availability.etag } : undefined;
    try {
      const answer = await api("GET", this.path + query, { headers, timeoutMs: 8000 });
      if (this.failures) this.on.recovery();
      this.failures = 0;
      availability.etag = answer.headers.get("ETag") || availability.etag;
      const before = availability.version;
      const changed = answer.status === 304 ? [] : availability.apply(answer.body);
      const isSame = answer.status === 304 || before === availability.version;
      this.quiet = isSame ? this.quiet + 1 : 0;
      if (isFirst || !isSame) this.on.change(changed, isFirst);
    } catch (problem) {
      this.failures += 1;
      this.on.failure(problem);
    }
  }
}
