// The compact seating plan as arrays: fifteen thousand seats are cheap to draw and to search that way.

export const STATE = { free: 0, held: 1, sold: 2, blocked: 3 };
export const WHEELCHAIR = 1;
export const OBSTRUCTED = 2;

/**
 * Read the plan of GET /api/seat/plan. A seat's index is its place in the document's order: the same index that availability uses.
 * Every array below has one entry a seat; `rowOf` points into `rows`.
 */
export function readPlan(document) {
  const plan = {
    version: document.version,
    name: document.name,
    width: document.size.width,
    height: document.size.height,
    grades: document.grades,
    shapes: document.shapes || [],
    zones: document.zones.map((zone) => zone.name),
    rows: [],
    guid: [],
    number: [],
    x: [],
    y: [],
    grade: [],
    flags: [],
    rowOf: [],
    indexOf: new Map(),
  };
  document.zones.forEach((zone, zoneIndex) => {
    for (const row of zone.rows) {
      const first = plan.guid.length;
      for (const [guid, number, x, y, grade, flags] of row.seats) {
        plan.indexOf.set(guid, plan.guid.length);
        plan.guid.push(guid);
        plan.number.push(number);
        plan.x.push(x);
        plan.y.push(y);
        plan.grade.push(grade);
        plan.flags.push(flags || 0);
        plan.rowOf.push(plan.rows.length);
      }
      plan.rows.push({ label: row.label, zone: zoneIndex, first, end: plan.guid.length });
    }
  });
  plan.count = plan.guid.length;
  plan.pitch = pitch(plan);
  plan.bounds = bounds(plan);
  return plan;
}

/** The usual distance between neighbours in a row; never 0, though a plan may have all of a row in one place. */
function pitch(plan) {
  const gaps = [];
  for (const row of plan.rows) {
    for (let i = row.first + 1; i < row.end; i++) gaps.push(Math.hypot(plan.x[i] - plan.x[i - 1], plan.y[i] - plan.y[i - 1]));
  }
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1] || 24;
}

/** The rectangle that holds all seats and shapes, with a margin. */
function bounds(plan) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const reach = (x, y) => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  };
  for (let i = 0; i < plan.count; i++) reach(plan.x[i], plan.y[i]);
  for (const shape of plan.shapes) for (const [x, y] of outline(shape)) reach(x, y);
  if (left === Infinity) return { left: 0, top: 0, width: plan.width, height: plan.height };
  const margin = plan.pitch * 1.6;
  return { left: left - margin, top: top - margin, width: right - left + 2 * margin, height: bottom - top + 2 * margin };
}

/** Corner points of a shape, for its extent. */
export function outline(shape) {
  if (shape.points) return shape.points;
  const { x, y, width = 0, height = 0 } = shape;
  return [
    [x - width / 2, y - height / 2],
    [x + width / 2, y + height / 2],
  ];
}

/** The seat to go to from FROM in the direction (DX, DY), or -1: ahead rather than aside, and along the same row first. */
export function neighbour(plan, from, dx, dy) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < plan.count; i++) {
    if (i === from) continue;
    const x = plan.x[i] - plan.x[from];
    const y = plan.y[i] - plan.y[from];
    const ahead = x * dx + y * dy;
    if (ahead <= plan.pitch * 0.3) continue;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    const cost = ahead + aside * (dx && plan.rowOf[i] === plan.rowOf[from] ? 0.3 : 2.5);
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}

/** The seat whose centre is nearest to (X, Y) within REACH, or -1. */
export function seatAt(plan, x, y, reach) {
  let best = -1;
  let least = reach * reach;
  for (let i = 0; i < plan.count; i++) {
    const distance = (plan.x[i] - x) ** 2 + (plan.y[i] - y) ** 2;
    if (distance <= least) {
      least = distance;
      best = i;
    }
  }
  return best;
}
