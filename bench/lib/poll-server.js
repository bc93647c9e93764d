// An instance of bench/poll.js, in its own process: polled topics whose state changes on request.
import process from 'node:process';
import { answer } from './asking.js';
import { startOnRedis } from './redis-app.js';

const [, , dist, redisUrl, everyMs] = process.argv;
const instanceId = `bench-${String(process.pid)}`;
let live;
let version = 0;
/** Calls since they were last taken, by topic. */
const calls = new Map();

class States {
  canSubscribe() {
    return true;
  }
  snapshot(_params, topic) {
    calls.set(topic, (calls.get(topic) ?? 0) + 1);
    return { version, text: 'x'.repeat(200) };
  }
}

answer({
  async start() {
    const topic = { poll: { everyMs: Number(everyMs) }, occupancy: { graceMs: 0 } };
    const options = { instanceId };
    live = await startOnRedis({ dist, redisUrl, pattern: 'state/:id', topic, provider: States, options });
    return { url: live.url() };
  },

  change() {
    version += 1;
  },

  /** What has happened since the last question. */
  takeCounts() {
    const counts = [...calls];
    calls.clear();
    return { calls: counts, publications: live.stats().publicationsTotal };
  },
});
