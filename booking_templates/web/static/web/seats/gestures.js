// Pan, pinch, wheel and tap on an element, told as changes of its view.
const DRAG_FROM_PX = 6;

export class Gestures {
  /** ON: moved(), tap(x, y, pointerType). */
  constructor(element, view, on) {
    this.element = element;
    this.view = view;
    this.on = on;
    this.pointers = new Map();
    this.isDragging = false;
    this.kind = "mouse";
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, (event) => this.up(event));
    element.addEventListener("click", (event) => this.click(event));
  }

  get isActive() {
    return this.pointers.size > 0;
  }

  at(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.view.zoom(Math.exp(-Math.max(-120, Math.min(120, lines)) * (event.ctrlKey ? 0.01 : 0.0022)), ...this.at(event));
    this.on.moved();
  }

  down(event) {
    if (event.target.closest(".map__zoom, .map__overview") || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.kind = event.pointerType;
    if (this.pointers.size === 0) this.isDragging = false;
    this.pointers.set(event.pointerId, this.at(event));
    this.start = this.at(event);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (event.pointerType === "mouse" && !event.buttons) {
      this.up(event); // it was let go outside
      return;
    }
    const now = this.at(event);
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
      const is = Math.hypot(now[0] - other[0], now[1] - other[1]);
      this.drag(event);
      if (was > 0 && is > 0) this.view.zoom(is / was, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      this.view.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      this.on.moved();
    } else if (this.isDragging || Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) > DRAG_FROM_PX) {
      this.drag(event);
      this.view.pan(now[0] - before[0], now[1] - before[1]);
      this.on.moved();
    } else {
      return; // not far enough to be a drag: the start stays the point to measure from
    }
    this.pointers.set(event.pointerId, now);
  }

  drag(event) {
    this.isDragging = true;
    this.element.classList.add("is-dragging");
    // From here on the pointer is ours even outside; before, a click must still reach the button under it.
    this.element.setPointerCapture(event.pointerId);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size === 0) this.element.classList.remove("is-dragging");
  }

  click(event) {
    if (event.detail === 0 || event.target.closest(".map__zoom, .map__overview")) return;
    if (this.isDragging) {
      this.isDragging = false;
      return;
    }
    this.on.tap(...this.at(event), event.pointerType || this.kind);
  }
}
