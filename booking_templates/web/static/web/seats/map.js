// The seat map: the painted plan, and over it a real button for every seat that is large enough to be touched.
import { Gestures } from "./gestures.js";
import { neighbour, seatAt, STATE } from "./plan.js";
import { Painter } from "./draw.js";
import { Overview } from "./overview.js";
import { View } from "./view.js";
import { place, grade, priced, seatName } from "./words.js";

const ALL_BUTTONS_UP_TO = 2500;
const BUTTONS_FROM_PX = 12;
const SETTLED_MS = 100;
const CLOSE_UP_PX = 34;
const EASY_PX = { mouse: 8, pen: 14, touch: 19 };
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export class SeatMap {
  /** ELEMENT is `.map`. ON: toggle(index), zoomed(). */
  constructor(element, plan, availability, selection, on) {
    this.element = element;
    this.plan = plan;
    this.availability = availability;
    this.selection = selection;
    this.on = on;
    this.layer = element.querySelector(".map__seats");
    this.tip = element.querySelector(".map__tip");
    this.view = new View(plan.bounds);
    this.view.most = 64 / plan.pitch;
    this.painter = new Painter(element.querySelector(".map__canvas"), plan);
    this.overview = new Overview(element.querySelector(".map__overview"), plan, (x, y) => this.glide(x, y));
    this.buttons = new Map();
    this.current = -1;
    this.grade = null;
    this.frame = 0;
    this.hasAll = plan.count <= ALL_BUTTONS_UP_TO;
    this.gestures = new Gestures(element, this.view, { moved: () => this.moved(), tap: (...point) => this.tap(...point) });
    this.listen();
    new ResizeObserver(() => this.resize()).observe(element);
    this.resize();
    if (this.hasAll) this.addButtons(plan.guid.keys());
  }

  /** The size of a seat's cell on the screen, in CSS pixels. */
  get step() {
    return this.plan.pitch * this.view.scale;
  }

  resize() {
    const { width, height, top, right } = this.element.getBoundingClientRect();
    if (!width || !height) return;
    const controls = this.element.querySelector(".map__zoom").getBoundingClientRect();
    const isColumn = controls.height > controls.width;
    this.view.edge = { right: isColumn ? right - controls.left : 0, top: isColumn ? 0 : controls.bottom - top };
    this.view.resize(width, height);
    this.painter.resize(width, height);
    this.moved();
  }

  /** The view has changed. */
  moved() {
    const { view } = this;
    this.layer.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.hideTip();
    this.draw();
    this.on.zoomed();
  }

  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settled(), SETTLED_MS);
      const look = { states: this.availability.states, chosen: new Set(this.selection.seats), grade: this.grade };
      this.painter.paint(this.view, look);
      this.overview.paint(this.view, this.painter, look);
    });
  }

  /** The map has come to rest. Making buttons and the width of their focus ring for every frame would make it stutter. */
  settled() {
    this.layer.style.setProperty("--one-px", String(1 / this.view.scale));
    if (!this.hasAll) this.fillButtons();
  }

  /** Seats CHANGED (indices): by others or by a choice. */
  update(changed) {
    for (const index of changed) this.name(index);
    if (this.current < 0) this.setCurrent(this.firstFree());
    this.overview.forget();
    this.draw();
  }

  light(gradeIndex) {
    this.grade = gradeIndex;
    this.overview.forget();
    this.draw();
  }

  zoom(factor) {
    this.animate(() => this.view.zoom(factor));
  }

  fit() {
    this.animate(() => this.view.fit());
  }

  // ---- buttons

  addButtons(indices) {
    const fragment = document.createDocumentFragment();
    const size = this.plan.pitch * 0.96;
    for (const index of indices) {
      if (this.buttons.has(index)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "seat";
      button.tabIndex = index === this.current ? 0 : -1;
      button.dataset.index = index;
      button.dataset.seat = this.plan.guid[index];
      Object.assign(button.style, {
        left: `${this.plan.x[index] - size / 2}px`,
        top: `${this.plan.y[index] - size / 2}px`,
        width: `${size}px`,
        height: `${size}px`,
      });
      this.buttons.set(index, button);
      this.name(index);
      fragment.append(button);
    }
    this.layer.append(fragment);
  }

  /** Of a very large plan only the seats in sight have buttons, and only when they are large enough to touch. */
  fillButtons() {
    const { plan, view } = this;
    const wanted = new Set(this.current >= 0 ? [this.current] : []);
    if (this.step >= BUTTONS_FROM_PX) {
      const [left, top] = view.toPlan(0, 0);
      const [right, bottom] = view.toPlan(view.width, view.height);
      for (let i = 0; i < plan.count; i++) {
        if (plan.x[i] >= left && plan.x[i] <= right && plan.y[i] >= top && plan.y[i] <= bottom) wanted.add(i);
      }
    }
    for (const [index, button] of this.buttons) {
      if (wanted.has(index) || button === document.activeElement) continue;
      button.remove();
      this.buttons.delete(index);
    }
    this.addButtons([...wanted].sort((a, b) => a - b));
  }

  name(index) {
    const button = this.buttons.get(index);
    if (!button) return;
    const state = this.availability.states[index];
    const isChosen = this.selection.has(index);
    button.setAttribute("aria-label", seatName(this.plan, index, state, isChosen));
    button.setAttribute("aria-pressed", String(isChosen));
    if (state === STATE.free || isChosen) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
    button.dataset.state = isChosen ? "chosen" : ["free", "held", "sold", "blocked"][state];
  }

  firstFree() {
    for (let i = 0; i < this.plan.count; i++) if (this.availability.isFree(i)) return i;
    return this.plan.count ? 0 : -1;
  }

  /** Make INDEX the seat that Tab reaches. */
  setCurrent(index, { focus = false } = {}) {
    const before = this.buttons.get(this.current);
    if (before) before.tabIndex = -1;
    this.current = index;
    if (index < 0) return;
    if (!this.buttons.has(index)) this.addButtons([index]);
    const button = this.buttons.get(index);
    button.tabIndex = 0;
    if (focus) button.focus({ preventScroll: true });
  }

  // ---- keys and pointers

  listen() {
    const { element, layer } = this;
    layer.addEventListener("keydown", (event) => this.key(event));
    layer.addEventListener("focusin", (event) => {
      const index = Number(event.target.dataset.index);
      if (index !== this.current) this.setCurrent(index);
      if (!event.target.matches(":focus-visible")) return;
      if (this.step < 14) this.view.centre(this.plan.x[index], this.plan.y[index], 24 / this.plan.pitch);
      else this.view.reveal(this.plan.x[index], this.plan.y[index], 56);
      this.moved();
    });
    // A press of a key or of a screen reader on a button is a click without a pointer.
    layer.addEventListener("click", (event) => {
      if (event.detail === 0 && event.target.dataset.index) this.on.toggle(Number(event.target.dataset.index));
    });
    element.addEventListener("pointermove", (event) => this.hover(event));
    element.addEventListener("pointerleave", () => this.hideTip());
    // Focus would scroll the clipped window by itself; the view does that.
    element.addEventListener("scroll", () => element.scrollTo(0, 0));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = this.current;
    let to = -1;
    if (DIRECTIONS[event.key]) to = neighbour(this.plan, from, ...DIRECTIONS[event.key]);
    else if (event.key === "Home") to = this.plan.rows[this.plan.rowOf[from]].first;
    else if (event.key === "End") to = this.plan.rows[this.plan.rowOf[from]].end - 1;
    else if (event.key === "+" || event.key === "=") this.zoom(1.5);
    else if (event.key === "-") this.zoom(1 / 1.5);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
    if (to >= 0) this.setCurrent(to, { focus: true });
  }

  /** A click or touch at (X, Y) of the window. Where seats are too small to hit, it is a closer look instead. */
  tap(x, y, pointer) {
    const [planX, planY] = this.view.toPlan(x, y);
    if (this.step < (EASY_PX[pointer] ?? EASY_PX.touch)) {
      this.glide(planX, planY, CLOSE_UP_PX / this.plan.pitch);
      return;
    }
    const index = seatAt(this.plan, planX, planY, Math.max(this.plan.pitch * 0.6, pointer === "touch" ? 16 / this.view.scale : 0));
    if (index < 0 || this.availability.states[index] === STATE.blocked) {
      if (!this.view.isWhole) this.glide(planX, planY);
      return;
    }
    this.setCurrent(index);
    this.on.toggle(index);
  }

  hover(event) {
    if (event.pointerType !== "mouse" || event.buttons || event.target.closest(".map__zoom, .map__overview")) {
      this.hideTip();
      return;
    }
    const box = this.element.getBoundingClientRect();
    const [x, y] = this.view.toPlan(event.clientX - box.left, event.clientY - box.top);
    const index = this.step < EASY_PX.mouse ? -1 : seatAt(this.plan, x, y, this.plan.pitch * 0.5);
    if (index < 0 || this.availability.states[index] === STATE.blocked) {
      this.hideTip();
      return;
    }
    if (this.tip.dataset.index !== String(index) || this.tip.hidden) {
      const [line, ...more] = seatName(this.plan, index, this.availability.states[index], this.selection.has(index)).split(", ");
      const strong = document.createElement("strong");
      strong.textContent = line || place(this.plan, index) || priced(grade(this.plan, index));
      this.tip.replaceChildren(strong, document.createElement("br"), more.join(" · "));
      this.tip.dataset.index = index;
      this.tip.hidden = false;
      this.element.classList.toggle("is-free", this.availability.isFree(index) || this.selection.has(index));
    }
    const [seatX, seatY] = this.view.toScreen(this.plan.x[index], this.plan.y[index]);
    const half = this.tip.offsetWidth / 2;
    const left = Math.min(Math.max(seatX, half + 6), this.view.width - half - 6);
    const above = seatY - this.step * 0.6 - this.tip.offsetHeight - 6;
    this.tip.style.transform = `translate(${left - half}px, ${above > 4 ? above : seatY + this.step * 0.7 + 6}px)`;
  }

  hideTip() {
    this.tip.hidden = true;
    this.element.classList.remove("is-free");
  }

  // ---- movement

  glide(planX, planY, scale) {
    this.animate(() => this.view.centre(planX, planY, scale));
  }

  /** Go over a moment from where the view is to where CHANGE puts it. */
  animate(change) {
    const { view } = this;
    const from = [view.scale, view.x, view.y];
    change();
    const to = [view.scale, view.x, view.y];
    this.flight = (this.flight || 0) + 1;
    if (CALM.matches || document.hidden) {
      this.moved();
      return;
    }
    const flight = this.flight;
    const started = performance.now();
    const frame = (now) => {
      if (flight !== this.flight || this.gestures.isActive) return;
      const part = Math.min(1, Math.max(0, (now - started) / 200));
      const eased = 1 - (1 - part) ** 3;
      [view.scale, view.x, view.y] = to.map((end, i) => from[i] + (end - from[i]) * eased);
      this.moved();
      if (part < 1) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }
}
