// One peer's server, in a process on a core of its own.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import process from 'node:process';
import { writeHeapSnapshot } from 'node:v8';
import { loadPeer } from '../peers/peer.js';
import { answer } from './asking.js';
import { makePayload } from './payload.js';
import { topicName } from './scenarios.js';

const [, , name] = process.argv;
const { start } = await loadPeer(name);
/** @type {import('../peers/peer.js').RunningServer} */
let server;
const inspector = new Session();
let cpuStart = process.cpuUsage();

function startClock() {
  cpuStart = process.cpuUsage();
}

answer({
  startClock,

  async start(about) {
    server = await start(about);
    return { port: server.port, features: server.features };
  },

  /** Publishes on a steady schedule. Resolves with how late the ticks were when the last one is out. */
  async run({ scenario }) {
    const { topics, messagesPerTick, tickMs, ticks } = scenario;
    const names = Array.from({ length: topics }, (_, i) => topicName(i));
    let latestMs = 0;
    startClock();
    let dueMs = performance.now();
    for (let tick = 0; tick < ticks; tick++) {
      dueMs += tickMs;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      latestMs = Math.max(latestMs, performance.now() - dueMs);
      for (let i = 0; i < messagesPerTick; i++) server.publish(names[i % topics], makePayload());
    }
    return { latestMs };
  },

  /** What it has cost since then, with everything: publishing, framing, writing, collecting garbage. */
  cost() {
    const { user, system } = process.cpuUsage(cpuStart);
    return { cpuMicros: user + system, userMicros: user };
  },

  /** Memory after everything that can go has gone; needs `--expose-gc`. */
  async memory() {
    for (let i = 0; i < 4; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heapUsed, external, rss };
  },

  async startProfile() {
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: 200 });
    await inspector.post('Profiler.start');
  },

  async endProfile({ file }) {
    const { profile } = await inspector.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
  },

  snapshot({ file }) {
    return writeHeapSnapshot(file);
  },
});
