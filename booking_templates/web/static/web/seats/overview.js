// A small picture of the whole plan with a frame around what the map shows; seen only while the map is zoomed.
const SIDE = matchMedia("(max-width: 720px)").matches ? 92 : 132;

export class Overview {
  /** GO(x, y) moves the map to a point of the plan. A pointer's convenience: keys and the list reach every seat without it. */
  constructor(canvas, plan, go) {
    this.canvas = canvas;
    this.bounds = plan.bounds;
    const scale = Math.min(SIDE / this.bounds.width, SIDE / this.bounds.height);
    this.width = Math.round(this.bounds.width * scale);
    this.height = Math.round(this.bounds.height * scale);
    this.scale = scale;
    this.plan = plan;
    this.picture = null;
    canvas.style.width = `${this.width}px`;
    canvas.style.height = `${this.height}px`;
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      go(this.bounds.left + (event.clientX - box.left) / scale, this.bounds.top + (event.clientY - box.top) / scale);
    };
    canvas.addEventListener("click", move);
  }

  /** The seats have changed: draw them anew when next seen. */
  forget() {
    this.picture = null;
  }

  paint(view, painter, look) {
    const isNeeded = view.scale > view.least * 1.25;
    this.canvas.hidden = !isNeeded;
    if (!isNeeded) return;
    const { ratio } = painter;
    if (this.canvas.width !== Math.round(this.width * ratio)) {
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(this.height * ratio);
      this.picture = null;
    }
    this.picture ??= this.draw(painter, look, ratio);
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.picture, 0, 0);
    const [left, top] = view.toPlan(0, 0);
    const scale = this.scale * ratio;
    context.strokeStyle = "#14181f";
    context.lineWidth = 1.5 * ratio;
    context.strokeRect((left - this.bounds.left) * scale, (top - this.bounds.top) * scale, (view.width / view.scale) * scale, (view.height / view.scale) * scale);
  }

  draw(painter, look, ratio) {
    const picture = document.createElement("canvas");
    picture.width = this.canvas.width;
    picture.height = this.canvas.height;
    const context = picture.getContext("2d");
    const scale = this.scale * ratio;
    const size = Math.max(1, this.plan.pitch * 0.8 * scale);
    for (let i = 0; i < this.plan.count; i++) {
      const state = look.states[i];
      if (state === 3) continue;
      const isChosen = look.chosen.has(i);
      context.fillStyle = isChosen ? "#14181f" : state === 0 ? painter.colors[this.plan.grade[i]] : "#d5d9e0";
      context.globalAlpha = look.grade !== null && look.grade !== this.plan.grade[i] && !isChosen ? 0.2 : 1;
      const side = isChosen ? size * 2 : size;
      context.fillRect((this.plan.x[i] - this.bounds.left) * scale - side / 2, (this.plan.y[i] - this.bounds.top) * scale - side / 2, side, side);
    }
    return picture;
  }
}
