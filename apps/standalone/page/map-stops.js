import { color, textFont } from './canvas.js';
import { laneOffset } from './map-drawing.js';
import { direction, overlaps } from './map-view.js';

/**
 * @typedef {import('./map-view.js').MapView} MapView
 * @typedef {import('./map-view.js').TrackPoint} TrackPoint
 * @typedef {{x: number, y: number}} Point
 */

/** Draws stops, with their names inside the ring. Omits a name that would cover another. */
export function drawStops(
  /** @type {CanvasRenderingContext2D} */ context,
  /** @type {MapView} */ view,
  /** @type {readonly TrackPoint[]} */ track,
) {
  const small = view.width < 480;
  const points = track.map(([lon, lat]) => view.project(lon, lat));
  const inside = clockwise(points) ? 1 : -1;
  /** @type {import('./map-view.js').Box[]} */
  const taken = [];
  context.font = textFont(small ? 10 : 11.5);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const [index, [, , name]] of track.entries()) {
    const at = points[index];
    if (!name || !at) continue;
    drawStop(context, at, small ? 3.5 : 4.5);
    const along = direction(points.at(index - 2) ?? at, points[(index + 2) % points.length] ?? at);
    const inward = { x: -along.y * inside, y: along.x * inside };
    const width = context.measureText(name).width;
    const tries = (small ? [12, 24] : [16, 30, 44]).map((gap) => nameBox(at, inward, width, gap));
    const box = tries.find((one) => !taken.some((other) => overlaps(one, other)));
    if (!box) continue;
    taken.push(box);
    context.fillStyle = color('muted');
    context.fillText(name, box.left, box.top + box.height / 2);
  }
}

/** @param {Point} at @param {Point} inward @param {number} width @param {number} gap */
function nameBox(at, inward, width, gap) {
  const height = 14;
  const away = laneOffset + gap + Math.abs(inward.x) * (width / 2) + Math.abs(inward.y) * (height / 2);
  const [x, y] = [at.x + inward.x * away, at.y + inward.y * away];
  return { left: x - width / 2, top: y - height / 2, width, height };
}

/** @param {CanvasRenderingContext2D} context @param {Point} at @param {number} radius */
function drawStop(context, at, radius) {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.fillStyle = color('surface');
  context.fill();
  context.lineWidth = 1.75;
  context.strokeStyle = color('stop');
  context.stroke();
}

/** @param {readonly Point[]} points points on a screen, where y points down */
function clockwise(points) {
  let area = 0;
  for (const [index, { x, y }] of points.entries()) {
    const next = points[(index + 1) % points.length];
    if (next) area += x * next.y - next.x * y;
  }
  return area > 0;
}
