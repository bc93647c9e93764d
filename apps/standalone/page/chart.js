import { drawWhileVisible, prefersLessMotion, prepare } from './canvas.js';
import { drawPanel, drawTimes, windowMs } from './chart-drawing.js';
import { byId, element, setText } from './dom.js';
import { count } from './format.js';

const margin = { left: 46, right: 14, top: 10, bottom: 24, between: 20 };

/**
 * @typedef {import('./vitals.js').Sample} Sample
 * @typedef {import('./chart-drawing.js').TimeAxis} TimeAxis
 * @typedef {import('./chart-drawing.js').Series} Series
 */

/** @type {readonly Series[]} */
const series = [
  { read: (sample) => sample.connections, label: 'Connections', color: 'series-a' },
  { read: (sample) => sample.deliveries, label: 'Deliveries / s', color: 'series-b' },
];

/** Two panels over one moving time axis. Each quantity has its own scale. */
export class VitalsChart {
  #canvas = byId('vitals-chart', HTMLCanvasElement);
  #samples;
  #receivedAt = 0;
  #drawnAt = 0;
  /** @type {number | undefined} position of the pointer in CSS pixels */
  #pointerX;
  /** @type {number | undefined} index from the newest sample, selected by keyboard */
  #picked;
  #time = element('li', { class: 'when' });
  #values = series.map(() => element('b', {}, '–'));

  /** @param {readonly Sample[]} samples shared with the caller, which appends to it */
  constructor(samples) {
    this.#samples = samples;
    const legend = byId('chart-legend', HTMLUListElement);
    for (const [index, { label, color }] of series.entries()) {
      const swatch = element('i', { class: `swatch ${color}`, 'aria-hidden': 'true' });
      legend.append(element('li', {}, swatch, `${label} `, this.#values[index] ?? ''));
    }
    legend.append(this.#time);
    this.#listen();
    drawWhileVisible(this.#canvas, (now) => {
      const pause = prefersLessMotion() ? 1000 : 66;
      if (now - this.#drawnAt >= pause) this.#draw(now);
    });
  }

  /** Call it after a sample was appended. */
  update() {
    this.#receivedAt = performance.now();
    if (this.#picked !== undefined) this.#picked += 1;
    this.#draw(this.#receivedAt);
  }

  #listen() {
    const canvas = this.#canvas;
    const point = (/** @type {PointerEvent} */ event) => {
      this.#picked = undefined;
      this.#pointerX = event.offsetX;
      this.#draw(performance.now());
    };
    const leave = () => {
      this.#pointerX = this.#picked = undefined;
      this.#draw(performance.now());
    };
    canvas.addEventListener('pointermove', point);
    canvas.addEventListener('pointerdown', point);
    canvas.addEventListener('pointerleave', leave);
    canvas.addEventListener('blur', leave);
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
      if (event.key === 'Escape') leave();
      if (step === undefined) return;
      event.preventDefault();
      const next = (this.#picked ?? -1) + step;
      this.#pointerX = undefined;
      this.#picked = Math.max(0, Math.min(this.#samples.length - 1, next));
      this.#draw(performance.now());
      setText(
        byId('chart-readout', HTMLElement),
        byId('chart-legend', HTMLElement).innerText.replaceAll('\n', ', '),
      );
    });
  }

  /** @param {number} now */
  #draw(now) {
    this.#drawnAt = now;
    const { context, width, height } = prepare(this.#canvas);
    const newest = this.#samples.at(-1);
    const elapsed = newest && !prefersLessMotion() ? Math.min(now - this.#receivedAt, 60_000) : 1000;
    const end = (newest?.time ?? Date.now()) + elapsed - 1000;
    const [left, right, start] = [margin.left, width - margin.right, end - windowMs];
    /** @type {TimeAxis} */
    const axis = {
      left,
      right,
      start,
      end,
      x: (time) => left + ((time - start) / windowMs) * (right - left),
    };
    const panel = (height - margin.top - margin.bottom - margin.between) / series.length;
    const read = this.#readAt(axis);
    for (const [index, one] of series.entries()) {
      const top = margin.top + index * (panel + margin.between);
      drawPanel(context, axis, { top, bottom: top + panel }, one, this.#samples, read);
    }
    drawTimes(context, axis, height);
    this.#showReadout(read, newest);
  }

  /** @param {TimeAxis} axis @returns {Sample | undefined} */
  #readAt(axis) {
    if (this.#picked !== undefined) return this.#samples.at(-1 - this.#picked);
    if (this.#pointerX === undefined) return undefined;
    const time = axis.start + ((this.#pointerX - axis.left) / (axis.right - axis.left)) * windowMs;
    const visible = this.#samples.filter((sample) => sample.time >= axis.start);
    return visible.toSorted((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0];
  }

  /** @param {Sample | undefined} read @param {Sample | undefined} newest */
  #showReadout(read, newest) {
    const sample = read ?? newest;
    for (const [index, one] of series.entries()) {
      const value = sample ? one.read(sample) : null;
      const target = this.#values[index];
      if (target) setText(target, value === null ? '–' : count(value));
    }
    const ago = read && newest ? Math.round((newest.time - read.time) / 1000) : 0;
    setText(this.#time, ago > 0 ? `${ago} s ago` : newest ? 'now' : '');
  }
}
