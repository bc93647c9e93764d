// The server of one peer, in a process on its own core.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { writeHeapSnapshot } from 'node:v8';
import { loadPeer } from '../peers/peer.js';
import { answer } from './asking.js';
import { payloads } from './payload.js';
import { keyName, topicName } from './scenarios.js';

const [, , name] = process.argv;
const { start } = await loadPeer(name);
const collect = globalThis.gc ?? (() => globalThis.Bun.gc(true));
const resolutionMs = 5;
const loopDelay = monitorEventLoopDelay?.({ resolution: resolutionMs });
/** @type {import('../peers/peer.js').RunningServer} */
let server;
/** @type {import('node:inspector/promises').Session} */
let inspector;
let cpuStart = process.cpuUsage();
let otherStart = 0;

function startClock() {
  cpuStart = process.cpuUsage();
  otherStart = server.cpuMicros?.() ?? 0;
}

const memoryEveryMs = 100;
let watch;

function sampleMemory() {
  watch.peak = Math.max(watch.peak, process.memoryUsage.rss());
  const { queuedBytes } = server.tell();
  watch.queued = Math.max(watch.queued, queuedBytes);
}

function stringifyMicros(data) {
  const calls = 20_000;
  const start = process.cpuUsage();
  let bytes = 0;
  for (let i = 0; i < calls; i++) bytes += JSON.stringify(data).length;
  const { user, system } = process.cpuUsage(start);
  if (bytes === 0) throw new Error('There is no data.');
  return (user + system) / calls;
}

answer({
  startClock,

  async start(about) {
    server = await start(about);
    const { port, features, validates } = server;
    return { port, features, validates };
  },

  /** Publishes on a steady schedule. Resolves with the delay of the latest tick. */
  async run({ scenario }) {
    const { topics, messagesPerTick, tickMs, ticks, payload } = scenario;
    const makePayload = payloads[payload ?? 'position'];
    const names = Array.from({ length: topics }, (_, i) => topicName(i));
    let latestMs = 0;
    startClock();
    let dueMs = performance.now();
    for (let tick = 0; tick < ticks; tick++) {
      dueMs += tickMs;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      latestMs = Math.max(latestMs, performance.now() - dueMs);
      for (let i = 0; i < messagesPerTick; i++)
        server.publish(names[i % topics], makePayload(), keyName(scenario, tick));
    }
    return { latestMs };
  },

  /**
   * Publishes to one topic, `inFlight` in a turn. Resolves with the microseconds of each, and those
   * of a `JSON.stringify` of the same data right after: how fast the machine is at that moment.
   */
  async publish({ topic, count, inFlight, keys }) {
    const data = payloads.position();
    const start = performance.now();
    startClock();
    for (let sent = 0; sent < count; sent += inFlight) {
      const turn = [];
      for (let i = 0; i < inFlight; i++) turn.push(server.publish(topic, data, keyName({ keys }, sent + i)));
      await Promise.all(turn);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { user, system } = process.cpuUsage(cpuStart);
    const wall = ((performance.now() - start) * 1_000) / count;
    return { cpu: (user + system) / count, wall, stringify: stringifyMicros(data) };
  },

  /**
   * The total CPU time since the start of the clock: publishing, framing, writing, garbage
   * collection.
   */
  cost() {
    if (server.cpuMicros !== undefined) return { cpuMicros: server.cpuMicros() - otherStart };
    const { user, system } = process.cpuUsage(cpuStart);
    return { cpuMicros: user + system };
  },

  /** Starts the measurement of `standstill`. */
  watchLoop() {
    loopDelay.enable();
    loopDelay.reset();
  },

  /** The longest stall of the event loop and the p99, in milliseconds. */
  standstill() {
    loopDelay.disable();
    const ms = (nanos) => Math.max(0, nanos / 1e6 - resolutionMs);
    return { p99Ms: ms(loopDelay.percentile(99)), longestMs: ms(loopDelay.max) };
  },

  /** Samples memory and queued bytes from now on, until `memoryPeak`. */
  watchMemory() {
    globalThis.gc();
    const { rss } = process.memoryUsage();
    watch = { startMs: performance.now(), rss, peak: rss, queued: 0 };
    watch.timer = setInterval(sampleMemory, memoryEveryMs);
    return { rss };
  },

  memoryPeak() {
    clearInterval(watch.timer);
    const { timer: _, ...seen } = watch;
    return seen;
  },

  /** Requests that only this peer supports. */
  tell(about) {
    return server.tell(about);
  },

  /** Memory after garbage collection. Needs `--expose-gc`, except in Bun. */
  async memory() {
    if (server.memory !== undefined) return server.memory();
    for (let i = 0; i < 4; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heapUsed, external, rss };
  },

  /** Does nothing in Bun, which has no profiler of this kind. */
  async startProfile() {
    if ('Bun' in globalThis) return;
    const { Session } = await import('node:inspector/promises');
    inspector = new Session();
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: 200 });
    await inspector.post('Profiler.start');
  },

  /** Resolves with whether there is a profile. */
  async endProfile({ file }) {
    if (inspector === undefined) return false;
    const { profile } = await inspector.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
    return true;
  },

  snapshot({ file }) {
    return writeHeapSnapshot(file);
  },
});
