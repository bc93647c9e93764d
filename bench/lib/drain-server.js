// An instance of bench/drain.js or bench/rolling.js, in its own process. Publishes on request.
import process from 'node:process';
import { answer } from './asking.js';
import { startOnRedis } from './redis-app.js';
import { topicName } from './scenarios.js';
import { steadyTopics } from './steady-topics.js';

const [, , dist, redisUrl, windowMs] = process.argv;
const instanceId = `bench-${String(process.pid)}`;
let live;

class Topics {
  canSubscribe() {
    return true;
  }
}

answer({
  async start() {
    const options = {
      instanceId,
      drainWindowMs: Number(windowMs),
      drainTimeoutMs: Number(windowMs) * 2 + 10_000,
    };
    const topic = { history: { size: 1_000 } };
    live = await startOnRedis({ dist, redisUrl, pattern: topicName('*'), topic, provider: Topics, options });
    return { url: live.url(), instanceId };
  },

  ...steadyTopics((topic, data) => void live.publish(topic, data)),

  connections() {
    return live.stats().connections;
  },
});
