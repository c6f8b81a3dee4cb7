// Painting the plan on a canvas. What a seat is shows by colour and by shape: full, outlined with a stroke, crossed, ticked.
import { OBSTRUCTED, STATE, WHEELCHAIR } from "./plan.js";

const INK = "#14181f";
const GREY = "#6b7484";
const CHOSEN = 4;
const NUMBERS_FROM_PX = 17;
const ROWS_FROM_PX = 12;
const ZONES_BELOW_PX = 6.5;

/** Whether white or dark type is read better on COLOR (#rrggbb). */
export function typeOn(color) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? INK : "#fff";
}

export class Painter {
  constructor(canvas, plan) {
    this.canvas = canvas;
    this.plan = plan;
    this.context = canvas.getContext("2d");
    this.sprites = new Map();
    this.font = getComputedStyle(document.body).fontFamily;
    this.colors = plan.grades.map((grade) => (/^#[0-9a-f]{6}$/i.test(grade.color || "") ? grade.color : "#5b6577"));
  }

  resize(width, height) {
    this.ratio = Math.min(devicePixelRatio || 1, 2.5);
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.sprites.clear();
  }

  /** Paint what VIEW shows. LOOK: states, chosen (a Set), grade (index that alone is lit, or null). */
  paint(view, look) {
    const { context, plan, ratio } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintShapes(view);
    const step = plan.pitch * view.scale;
    const size = Math.max(2, Math.round(step * 0.82 * ratio));
    const [left, top] = view.toPlan(-step, -step);
    const [right, bottom] = view.toPlan(view.width + step, view.height + step);
    context.setTransform(1, 0, 0, 1, 0, 0);
    const seen = [];
    for (let i = 0; i < plan.count; i++) {
      const x = plan.x[i];
      const y = plan.y[i];
      if (x < left || x > right || y < top || y > bottom) continue;
      const state = look.chosen.has(i) ? CHOSEN : look.states[i];
      if (state === STATE.blocked) continue;
      const isDim = look.grade !== null && plan.grade[i] !== look.grade && state !== CHOSEN;
      context.globalAlpha = isDim ? 0.18 : 1;
      const sprite = this.sprite(plan.grade[i], state, size);
      context.drawImage(sprite, Math.round((x * view.scale + view.x) * ratio - sprite.width / 2), Math.round((y * view.scale + view.y) * ratio - sprite.height / 2));
      if (state === STATE.free && !isDim) seen.push(i);
    }
    context.globalAlpha = 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (step >= NUMBERS_FROM_PX) this.paintNumbers(view, seen, step);
    if (step >= ROWS_FROM_PX) this.paintRows(view, step);
    if (step < ZONES_BELOW_PX && plan.zones.length > 1) this.paintZones(view);
  }

  paintShapes(view) {
    const { context, plan } = this;
    for (const shape of plan.shapes) {
      context.save();
      context.translate(view.x, view.y);
      context.scale(view.scale, view.scale);
      context.beginPath();
      if (shape.points) shape.points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      else if (shape.kind === "ellipse") context.ellipse(shape.x, shape.y, shape.width / 2, shape.height / 2, 0, 0, 2 * Math.PI);
      else if (shape.kind === "rectangle") context.rect(shape.x - shape.width / 2, shape.y - shape.height / 2, shape.width, shape.height);
      if (shape.kind !== "text") {
        context.closePath();
        context.fillStyle = shape.color || "#e4e7ec";
        context.fill();
      }
      if (shape.text) {
        context.fillStyle = shape.text_color || (shape.kind === "text" ? "#475063" : typeOn(shape.color || "#e4e7ec"));
        context.font = `700 ${shape.text_size || 20}px ${this.font}`;
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillText(shape.text, shape.text_x ?? shape.x, shape.text_y ?? shape.y);
      }
      context.restore();
    }
  }

  /** A seat of GRADE in STATE as a picture of SIZE device pixels, made once. */
  sprite(grade, state, size) {
    const key = `${state === STATE.free ? grade : "-"}/${state}/${size}`;
    let sprite = this.sprites.get(key);
    if (!sprite) {
      if (this.sprites.size > 200) this.sprites.clear();
      sprite = this.drawSeat(this.colors[grade], state, size);
      this.sprites.set(key, sprite);
    }
    return sprite;
  }

  drawSeat(color, state, size) {
    const canvas = document.createElement("canvas");
    const room = state === CHOSEN ? Math.ceil(size * 1.35) : size + 2;
    canvas.width = canvas.height = room;
    const context = canvas.getContext("2d");
    const box = (inset) => {
      context.beginPath();
      const side = room - 2 * inset;
      context.roundRect(inset, inset, side, side, side * 0.28);
    };
    const line = Math.max(1, size * 0.085);
    context.lineWidth = line;
    context.lineCap = "round";
    const from = room * 0.34;
    const to = room * 0.66;
    if (state === CHOSEN) {
      box(0.5);
      context.fillStyle = "#fff";
      context.fill();
      box(Math.max(1, room * 0.06));
      context.fillStyle = INK;
      context.fill();
      context.strokeStyle = "#fff";
      context.lineWidth = Math.max(1.2, size * 0.12);
      context.lineJoin = "round";
      context.beginPath();
      context.moveTo(room * 0.3, room * 0.52);
      context.lineTo(room * 0.45, room * 0.66);
      context.lineTo(room * 0.71, room * 0.36);
      context.stroke();
    } else if (state === STATE.free) {
      box(1);
      context.fillStyle = color;
      context.fill();
    } else if (state === STATE.held) {
      box(1 + line / 2);
      context.fillStyle = "#fff";
      context.fill();
      context.strokeStyle = GREY;
      context.stroke();
      context.beginPath();
      context.moveTo(from - size * 0.1, to + size * 0.1);
      context.lineTo(to + size * 0.1, from - size * 0.1);
      context.stroke();
    } else {
      box(1);
      context.fillStyle = "#e4e7ec";
      context.fill();
      if (size >= 7) {
        context.strokeStyle = "#868e9c";
        context.beginPath();
        context.moveTo(from, from);
        context.lineTo(to, to);
        context.moveTo(to, from);
        context.lineTo(from, to);
        context.stroke();
      }
    }
    return canvas;
  }

  paintNumbers(view, seats, step) {
    const { context, plan } = this;
    context.font = `600 ${Math.min(14, step * 0.42)}px ${this.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const types = this.colors.map(typeOn);
    for (const i of seats) {
      const [x, y] = view.toScreen(plan.x[i], plan.y[i]);
      context.fillStyle = types[plan.grade[i]];
      context.fillText(plan.flags[i] & WHEELCHAIR ? "♿\uFE0E" : plan.number[i], x, y + step * 0.02);
      if (!(plan.flags[i] & OBSTRUCTED)) continue;
      // A corner of the seat is folded over.
      const [side, edge] = [step * 0.24, step * 0.35];
      context.beginPath();
      context.moveTo(x + edge - side, y - edge);
      context.lineTo(x + edge, y - edge + side);
      context.lineTo(x + edge, y - edge);
      context.fill();
    }
  }

  paintRows(view, step) {
    const { context, plan } = this;
    context.font = `500 ${Math.min(13, step * 0.48)}px ${this.font}`;
    context.fillStyle = "#667085";
    context.textBaseline = "middle";
    for (const row of plan.rows) {
      if (!row.label) continue;
      const [x1, y1] = view.toScreen(plan.x[row.first], plan.y[row.first]);
      const isLeftward = plan.x[row.end - 1] < plan.x[row.first];
      context.textAlign = isLeftward ? "left" : "right";
      context.fillText(row.label, x1 + (isLeftward ? step : -step) * 0.62, y1);
    }
  }

  paintZones(view) {
    const { context, plan } = this;
    this.centres ??= zoneCentres(plan);
    context.font = `700 12px ${this.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.centres.forEach((centre, zone) => {
      if (!centre || !plan.zones[zone]) return;
      const [x, y] = view.toScreen(...centre);
      const width = context.measureText(plan.zones[zone]).width + 14;
      context.beginPath();
      context.roundRect(x - width / 2, y - 11, width, 22, 11);
      context.fillStyle = "rgba(255,255,255,.9)";
      context.fill();
      context.fillStyle = INK;
      context.fillText(plan.zones[zone], x, y + 0.5);
    });
  }
}

function zoneCentres(plan) {
  const sums = plan.zones.map(() => [0, 0, 0]);
  for (let i = 0; i < plan.count; i++) {
    const sum = sums[plan.rows[plan.rowOf[i]].zone];
    sum[0] += plan.x[i];
    sum[1] += plan.y[i];
    sum[2] += 1;
  }
  return sums.map(([x, y, count]) => (count ? [x / count, y / count] : null));
}
