import { VitalsChart } from './chart.js';
import { byId, element, setText } from './dom.js';
import { bytes, count, decimal, duration } from './format.js';

const topic = 'system/vitals';
const keptMs = 130_000;

/**
 * @typedef {{time: number, connections: number, deliveries: number | null}} Sample
 * `deliveries` is per second since the previous sample, or `null` without one.
 */

/**
 * @typedef {object} Tile
 * @property {string} id
 * @property {string} label
 * @property {(vitals: any, sample: Sample) => string} read
 * @property {string} [series] the color of its line in the chart
 * @property {string} [title] explains a short label
 */

/** @type {readonly Tile[]} */
const tiles = [
  { id: 'connections-now', label: 'Connections', read: (v) => count(v.connections), series: 'a' },
  { id: 'deliveries-now', label: 'Deliveries / s', read: (_, s) => rate(s.deliveries), series: 'b' },
  { id: 'subscriptions-now', label: 'Subscriptions', read: (v) => count(v.subscriptions) },
  { id: 'topics-now', label: 'Topics', read: (v) => count(v.topics) },
  { id: 'publications-now', label: 'Published', read: (v) => count(v.publicationsTotal) },
  { id: 'delivered-now', label: 'Delivered', read: (v) => count(v.deliveriesTotal) },
  { id: 'queued-now', label: 'Queued', read: (v) => bytes(v.queuedBytes) },
  { id: 'uptime-now', label: 'Uptime', read: (v) => duration(v.uptimeSeconds) },
  { id: 'memory-now', label: 'Memory', read: (v) => bytes(v.rssBytes) },
  { id: 'heap-now', label: 'Heap', read: (v) => bytes(v.heapUsedBytes) },
  { id: 'cpu-now', label: 'CPU', read: (v) => `${decimal(v.cpuPercent)} %` },
  {
    id: 'delay-now',
    label: 'Loop mean',
    read: (v) => `${decimal(v.eventLoopDelayMs.mean)} ms`,
    title: loop('mean'),
  },
  {
    id: 'delay-p99-now',
    label: 'Loop p99',
    read: (v) => `${decimal(v.eventLoopDelayMs.p99)} ms`,
    title: loop('99th percentile'),
  },
  {
    id: 'delay-max-now',
    label: 'Loop max',
    read: (v) => `${decimal(v.eventLoopDelayMs.max)} ms`,
    title: loop('longest'),
  },
];

/** @param {string} which */
function loop(which) {
  return `Event-loop delay, ${which}`;
}

/** @param {number | null} value */
function rate(value) {
  return value === null ? '–' : count(value);
}

/** @param {import('./page-client.js').PageClient} connection */
export function startVitals(connection) {
  /** @type {Sample[]} */
  const samples = [];
  /** @type {any} */
  let last;
  const values = tiles.map(({ id, label, series, title = '' }) => {
    const value = element('dd', { 'data-testid': id, id }, '–');
    const kind = series ? `tile big series-${series}` : 'tile';
    const tile = element('div', { class: kind, title }, element('dt', {}, label), value);
    byId('tiles', HTMLDListElement).append(tile);
    return value;
  });
  const chart = new VitalsChart(samples);

  /** @param {any} vitals */
  const accept = (vitals) => {
    if (typeof vitals?.time !== 'number') return;
    const seconds = last ? (vitals.time - last.time) / 1000 : 0;
    const delivered = last ? vitals.deliveriesTotal - last.deliveriesTotal : -1;
    // A negative difference means that the server was restarted.
    const deliveries = seconds > 0 && delivered >= 0 ? delivered / seconds : null;
    const sample = { time: vitals.time, connections: vitals.connections, deliveries };
    last = vitals;
    samples.push(sample);
    while (samples[0] && samples[0].time < vitals.time - keptMs) samples.shift();
    for (const [index, { read }] of tiles.entries()) {
      const target = values[index];
      if (target) setText(target, read(vitals, sample));
    }
    chart.update();
  };

  void connection.subscribe(topic, (message) => {
    if (message.type === 'event') accept(message.data);
    else if ('snapshot' in message && message.snapshot) [message.snapshot].flat().forEach(accept);
  });
}
