import { color } from './canvas.js';
import { laneOffset } from './map-drawing.js';
import { drawLabels, lineColor } from './map-labels.js';

/**
 * @typedef {import('./fleet-motion.js').Shown} Shown
 * @typedef {import('./map-view.js').MapView} MapView
 * @typedef {{vehicle: Shown, x: number, y: number}} Placed
 */

/** A capsule with a pointed nose, heading up. */
const shape = { body: new Path2D('M0-14Q6-9 6-4V8Q6 11 3 11H-3Q-6 11-6 8V-4Q-6-9 0-14Z') };

/**
 * Places each vehicle on the right-hand rail of its direction.
 * @param {MapView} view
 * @param {readonly Shown[]} vehicles
 */
export function place(view, vehicles) {
  return vehicles.map((vehicle) => {
    const { x, y } = view.project(vehicle.lon, vehicle.lat);
    const heading = (vehicle.headingDegrees * Math.PI) / 180;
    return { vehicle, x: x + Math.cos(heading) * laneOffset, y: y + Math.sin(heading) * laneOffset };
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {MapView} view
 * @param {readonly Placed[]} placed
 * @param {string | undefined} picked id of the vehicle at the pointer
 */
export function drawVehicles(context, view, placed, picked) {
  const size = view.width < 480 ? 0.8 : 1;
  for (const { vehicle, x, y } of placed) {
    context.save();
    context.globalAlpha = vehicle.opacity;
    context.translate(x, y);
    if (vehicle.id === picked) drawHalo(context, lineColor(vehicle.line));
    context.save();
    context.rotate((vehicle.headingDegrees * Math.PI) / 180);
    context.scale(size, size);
    drawBody(context, lineColor(vehicle.line));
    context.restore();
    context.restore();
  }
  drawLabels(context, view, placed, picked);
}

/** @param {CanvasRenderingContext2D} context @param {string} fill */
function drawBody(context, fill) {
  context.lineWidth = 3.5;
  context.lineJoin = 'round';
  context.strokeStyle = color('surface');
  context.stroke(shape.body);
  context.fillStyle = fill;
  context.fill(shape.body);
  context.beginPath();
  context.moveTo(-3.2, -4.5);
  context.quadraticCurveTo(0, -8, 3.2, -4.5);
  context.lineWidth = 1.75;
  context.lineCap = 'round';
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {string} stroke */
function drawHalo(context, stroke) {
  context.beginPath();
  context.arc(0, 0, 21, 0, 2 * Math.PI);
  context.fillStyle = stroke;
  const before = context.globalAlpha;
  context.globalAlpha = before * 0.18;
  context.fill();
  context.globalAlpha = before;
}
