import { color, niceStep, textFont } from './canvas.js';
import { count } from './format.js';

/** The time span of the chart. */
export const windowMs = 120_000;
const gapMs = 3_500;

/**
 * @typedef {import('./vitals.js').Sample} Sample
 *
 * @typedef {object} TimeAxis
 * @property {(time: number) => number} x
 * @property {number} left
 * @property {number} right
 * @property {number} start
 * @property {number} end
 *
 * @typedef {{read: (sample: Sample) => number | null, label: string, color: string}} Series
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {TimeAxis} axis
 * @param {{top: number, bottom: number}} box
 * @param {Series} one
 * @param {readonly Sample[]} samples
 * @param {Sample | undefined} read
 */
export function drawPanel(context, axis, box, one, samples, read) {
  const visible = samples.filter(({ time }) => time >= axis.start - gapMs);
  const highest = Math.max(1, ...visible.map((sample) => one.read(sample) ?? 0));
  const step = Math.max(1, niceStep(highest / 3));
  const top = step * Math.ceil(highest / step);
  const y = (/** @type {number} */ value) => box.bottom - (value / top) * (box.bottom - box.top);

  context.font = textFont(11);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (let value = 0; value <= top + step / 2; value += step) {
    const level = Math.round(y(value)) + 0.5;
    context.strokeStyle = color(value === 0 ? 'axis' : 'grid');
    context.beginPath();
    context.moveTo(axis.left, level);
    context.lineTo(axis.right, level);
    context.stroke();
    context.fillStyle = color('muted');
    context.fillText(count(value), axis.left - 8, level);
  }

  context.save();
  context.beginPath();
  context.rect(axis.left, box.top - 6, axis.right - axis.left + 8, box.bottom - box.top + 12);
  context.clip();
  for (const run of unbroken(visible, one)) drawRun(context, axis, run, y, color(one.color), box.bottom);
  context.restore();

  const value = read && one.read(read);
  if (!read || value === null || value === undefined) return;
  const x = Math.round(axis.x(read.time)) + 0.5;
  context.strokeStyle = color('axis');
  context.beginPath();
  context.moveTo(x, box.top);
  context.lineTo(x, box.bottom);
  context.stroke();
  drawDot(context, x, y(value), color(one.color), 4.5);
}

/**
 * Splits the values at gaps in time.
 * @param {readonly Sample[]} samples
 * @param {Series} one
 * @returns {[time: number, value: number][][]}
 */
function unbroken(samples, one) {
  /** @type {[number, number][][]} */
  const runs = [];
  let before = -Infinity;
  for (const sample of samples) {
    const value = one.read(sample);
    if (value === null) continue;
    if (sample.time - before > gapMs) runs.push([]);
    runs.at(-1)?.push([sample.time, value]);
    before = sample.time;
  }
  return runs;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {TimeAxis} axis
 * @param {[number, number][]} run
 * @param {(value: number) => number} y
 * @param {string} stroke
 * @param {number} floor
 */
function drawRun(context, axis, run, y, stroke, floor) {
  const points = run.map(([time, value]) => [axis.x(time), y(value)]).flat();
  const line = polyline(points);
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return;
  const area = polyline([...points, axis.x(last[0]), floor, axis.x(first[0]), floor]);
  context.globalAlpha = 0.12;
  context.fillStyle = stroke;
  context.fill(area);
  context.globalAlpha = 1;
  context.strokeStyle = stroke;
  context.lineWidth = 2;
  context.lineJoin = 'round';
  context.stroke(line);
  context.lineWidth = 1;
  drawDot(context, axis.x(last[0]), y(last[1]), stroke, 3);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {string} fill
 * @param {number} size
 */
function drawDot(context, x, y, fill, size) {
  context.beginPath();
  context.arc(x, y, size, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = color('surface');
  context.lineWidth = 1.5;
  context.stroke();
  context.lineWidth = 1;
}

/** @param {CanvasRenderingContext2D} context @param {TimeAxis} axis @param {number} height */
export function drawTimes(context, axis, height) {
  const step = axis.right - axis.left < 360 ? 60 : 30;
  context.font = textFont(11);
  context.textBaseline = 'alphabetic';
  context.fillStyle = color('muted');
  for (let seconds = windowMs / 1000; seconds >= 0; seconds -= step) {
    context.textAlign = seconds === 0 ? 'right' : seconds === windowMs / 1000 ? 'left' : 'center';
    const x = axis.x(axis.end - seconds * 1000);
    context.fillText(seconds === 0 ? 'now' : `−${seconds} s`, x, height - 5);
  }
}

/** @param {readonly number[]} numbers x, y, x, y, … */
function polyline(numbers) {
  const path = new Path2D();
  for (let index = 0; index < numbers.length; index += 2)
    path.lineTo(numbers[index] ?? 0, numbers[index + 1] ?? 0);
  return path;
}
