import { topicName } from './scenarios.js';
import { nowMs } from './shared-clock.js';

/**
 * The requests of bench/drain.js and bench/rolling.js that publish to topics in turn, each with its
 * own count. `send` publishes data to a topic.
 */
export function steadyTopics(send) {
  const published = [];
  let timer;
  return {
    publish({ topics, perSecond }) {
      published.length = topics;
      published.fill(0);
      let turn = 0;
      timer = setInterval(() => {
        const topic = turn++ % topics;
        send(topicName(topic), { n: published[topic]++, atMs: nowMs() });
      }, 1_000 / perSecond);
    },

    /** Resolves with the publications of each topic. */
    stopPublishing() {
      clearInterval(timer);
      return published;
    },
  };
}
