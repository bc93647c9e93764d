import { color, textFont } from './canvas.js';
import { direction, overlaps } from './map-view.js';

/**
 * @typedef {import('./map-view.js').MapView} MapView
 * @typedef {import('./map-view.js').Box} Box
 * @typedef {import('./map-vehicles.js').Placed} Placed
 */

const height = 18;

/** Lines differ in color and in the first letter of the label. @param {string} line */
export const lineColor = (line) => color(line.charCodeAt(0) % 2 === 1 ? 'series-a' : 'series-b');

/**
 * Draws labels outside the ring, since stop names are inside it. A label that would cover another
 * moves further out.
 * @param {CanvasRenderingContext2D} context
 * @param {MapView} view
 * @param {readonly Placed[]} placed
 * @param {string | undefined} picked
 */
export function drawLabels(context, view, placed, picked) {
  /** @type {Box[]} */
  const taken = [];
  context.font = textFont(view.width < 480 ? 10.5 : 11.5, 650);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const inOrder = placed.toSorted((a, b) => a.vehicle.id.localeCompare(b.vehicle.id));
  for (const { vehicle, x, y } of inOrder) {
    const text = vehicle.id === picked ? `${vehicle.id} · ${Math.round(vehicle.speedKmh)} km/h` : vehicle.id;
    const box = freeBox(view, { x, y }, context.measureText(text).width + 10, taken);
    taken.push(box);
    context.globalAlpha = vehicle.opacity;
    drawPill(context, box, text, lineColor(vehicle.line));
    context.globalAlpha = 1;
  }
}

/**
 * @param {MapView} view
 * @param {{x: number, y: number}} at
 * @param {number} width
 * @param {readonly Box[]} taken
 */
function freeBox(view, at, width, taken) {
  const outward = direction(view.middle, at);
  const reach = 13 + Math.abs(outward.x) * (width / 2) + Math.abs(outward.y) * (height / 2);
  const boxAt = (/** @type {number} */ distance) => ({
    left: clamp(at.x + outward.x * distance - width / 2, 2, view.width - width - 2),
    top: clamp(at.y + outward.y * distance - height / 2, 2, view.height - height - 2),
    width,
    height,
  });
  const tries = [0, 10, 20, 30, 40].map((further) => boxAt(reach + further));
  return tries.find((box) => !taken.some((other) => overlaps(box, other))) ?? boxAt(reach);
}

/** @param {number} value @param {number} min @param {number} max */
function clamp(value, min, max) {
  return Math.max(min, Math.min(max, value));
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 * @param {string} text
 * @param {string} stroke
 */
function drawPill(context, { left, top, width }, text, stroke) {
  context.beginPath();
  context.roundRect(left, top, width, height, height / 2);
  context.fillStyle = color('label');
  context.fill();
  context.strokeStyle = stroke;
  context.lineWidth = 1;
  context.stroke();
  context.fillStyle = color('ink');
  context.fillText(text, left + width / 2, top + height / 2 + 0.5);
}
