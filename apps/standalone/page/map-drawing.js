import { color, niceStep, textFont } from './canvas.js';

/**
 * @typedef {import('./map-view.js').MapView} MapView
 * @typedef {import('./map-view.js').TrackPoint} TrackPoint
 */

/** Half the distance between the rails of the two directions, in pixels. */
export const laneOffset = 4.5;

/** @param {CanvasRenderingContext2D} context @param {MapView} view */
export function drawGrid(context, view) {
  const step = niceStep(view.metersPerPixel * 70) / view.metersPerPixel;
  context.beginPath();
  for (let x = view.middle.x % step; x < view.width; x += step) line(context, x, 0, x, view.height);
  for (let y = view.middle.y % step; y < view.height; y += step) line(context, 0, y, view.width, y);
  context.strokeStyle = color('grid');
  context.lineWidth = 1;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function line(context, x1, y1, x2, y2) {
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {MapView} view
 * @param {readonly TrackPoint[]} track
 */
export function drawTrack(context, view, track) {
  const path = trackPath(view, track);
  context.fillStyle = color('inside');
  context.fill(path);
  context.lineJoin = 'round';
  for (const [width, name] of /** @type {const} */ ([
    [laneOffset * 2 + 12, 'bed'],
    [laneOffset * 2 + 2, 'rail'],
    [laneOffset * 2 - 2, 'bed'],
  ])) {
    context.lineWidth = width;
    context.strokeStyle = color(name);
    context.stroke(path);
  }
}

/** @param {MapView} view @param {readonly TrackPoint[]} track */
function trackPath(view, track) {
  const path = new Path2D();
  for (const [lon, lat] of track) {
    const { x, y } = view.project(lon, lat);
    path.lineTo(x, y);
  }
  path.closePath();
  return path;
}

/** @param {CanvasRenderingContext2D} context @param {MapView} view */
export function drawScale(context, view) {
  const meters = niceStep(view.metersPerPixel * 50);
  const width = meters / view.metersPerPixel;
  const [left, bottom] = [16, view.height - 16];
  context.beginPath();
  context.moveTo(left + 0.5, bottom - 5);
  context.lineTo(left + 0.5, bottom + 0.5);
  context.lineTo(Math.round(left + width) + 0.5, bottom + 0.5);
  context.lineTo(Math.round(left + width) + 0.5, bottom - 5);
  context.strokeStyle = color('muted');
  context.lineWidth = 1.25;
  context.stroke();
  context.font = textFont(11);
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.fillStyle = color('muted');
  context.fillText(meters >= 1000 ? `${meters / 1000} km` : `${meters} m`, left + width + 8, bottom + 1);
}
