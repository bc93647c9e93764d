import { drawWhileVisible, prefersLessMotion, prepare } from './canvas.js';
import { byId, element, setText } from './dom.js';
import { FleetMotion } from './fleet-motion.js';
import { drawGrid, drawScale, drawTrack } from './map-drawing.js';
import { drawStops } from './map-stops.js';
import { drawVehicles, place } from './map-vehicles.js';
import { viewOf } from './map-view.js';

const topic = 'fleet/demo';
const reachPixels = 26;
const frameMs = 30;
const calmFrameMs = 500;

/**
 * @typedef {import('./map-view.js').TrackPoint} TrackPoint
 * @typedef {import('./fleet-motion.js').Vehicle} Vehicle
 */

class FleetMap {
  #canvas = byId('map', HTMLCanvasElement);
  #readout = byId('map-readout', HTMLElement);
  #table = byId('fleet-table', HTMLDetailsElement);
  #motion = new FleetMotion();
  /** @type {readonly TrackPoint[]} */
  #track = [];
  /** @type {readonly import('./map-vehicles.js').Placed[]} */
  #placed = [];
  /** @type {string | undefined} */
  #picked;
  #drawnAt = 0;

  constructor() {
    const pick = (/** @type {PointerEvent} */ event) =>
      (this.#picked = this.#near(event.offsetX, event.offsetY));
    this.#canvas.addEventListener('pointermove', pick);
    this.#canvas.addEventListener('pointerdown', pick);
    this.#canvas.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') this.#picked = undefined;
    });
    this.#table.addEventListener('toggle', () => this.#showSummary());
    setInterval(() => this.#showSummary(), 1000);
    drawWhileVisible(this.#canvas, (now) => {
      if (now - this.#drawnAt >= (prefersLessMotion() ? calmFrameMs : frameMs)) this.#draw(now);
    });
  }

  /** @param {{track?: readonly TrackPoint[], vehicles?: readonly Vehicle[]}} snapshot */
  start({ track = [], vehicles = [] }) {
    this.#track = track;
    this.#motion.replace(vehicles, performance.now());
  }

  /** @param {Vehicle} vehicle */
  move(vehicle) {
    this.#motion.update(vehicle, performance.now());
  }

  /** @param {number} now */
  #draw(now) {
    this.#drawnAt = now;
    const { context, width, height } = prepare(this.#canvas);
    if (this.#track.length < 2) return;
    const view = viewOf(this.#track, width, height, width < 480 ? 34 : 52);
    this.#placed = place(view, this.#motion.at(now));
    drawGrid(context, view);
    drawTrack(context, view, this.#track);
    drawStops(context, view, this.#track);
    drawScale(context, view);
    drawVehicles(context, view, this.#placed, this.#picked);
  }

  /** @param {number} x @param {number} y @returns {string | undefined} id of the vehicle there */
  #near(x, y) {
    const distance = (/** @type {{x: number, y: number}} */ at) => Math.hypot(at.x - x, at.y - y);
    const nearest = this.#placed.toSorted((a, b) => distance(a) - distance(b))[0];
    return nearest && distance(nearest) <= reachPixels ? nearest.vehicle.id : undefined;
  }

  #showSummary() {
    const vehicles = this.#motion.at(performance.now());
    const silent = vehicles.filter(({ opacity }) => opacity < 1).length;
    const moving = vehicles.filter(({ speedKmh, opacity }) => speedKmh > 0 && opacity === 1).length;
    const total = `${vehicles.length} vehicles, ${moving} moving, ${vehicles.length - moving - silent} at a stop`;
    if (vehicles.length > 0) setText(this.#readout, silent > 0 ? `${total}, ${silent} silent` : total);
    if (!this.#table.open) return;
    this.#table.querySelector('tbody')?.replaceChildren(
      ...vehicles.map((vehicle) => {
        const heard = vehicle.silentMs < 10_000 ? 'now' : `${Math.round(vehicle.silentMs / 1000)} s ago`;
        const { id, line, speedKmh, headingDegrees } = vehicle;
        const cells = [line, `${Math.round(speedKmh)} km/h`, `${Math.round(headingDegrees)}°`, heard];
        return element(
          'tr',
          {},
          element('th', { scope: 'row' }, id),
          ...cells.map((text) => element('td', {}, text)),
        );
      }),
    );
  }
}

/** @param {import('./page-client.js').PageClient} connection */
export function startMap(connection) {
  const map = new FleetMap();
  void connection.subscribe(topic, (/** @type {any} */ message) => {
    if (message.snapshot) map.start(message.snapshot);
    if (message.type === 'event' && message.data?.id) map.move(message.data);
  });
}
