// nestjs-live as clients find it that come back after a deploy: each subscribes with its position
// and recovers the publications that it missed.
import { topicName } from '../lib/scenarios.js';
import * as live from './nestjs-live.js';

export const title = 'nestjs-live, recovering';

/** Publications that each client has missed. */
const missed = 10;

/** Learned by the first clients, of the warm-up. */
let epoch;
/** Their subscribes, which recover nothing. */
let first = 0;

/** @type {import('./peer.js').Dialect} */
export const dialect = {
  ...live.dialect,
  heard: (text, topics) => {
    if (text.startsWith('{"type":"welcome"')) {
      const since = epoch === undefined ? undefined : { epoch, offset: 0 };
      if (since === undefined) first += topics.length;
      return {
        welcome: true,
        say: topics.map((topic) => JSON.stringify({ type: 'subscribe', topic, since })),
      };
    }
    if (!text.startsWith('{"type":"subscribed"')) return live.dialect.heard(text, topics);
    const subscribed = JSON.parse(text);
    if (subscribed.recovered !== true && --first < 0) throw new Error(`Not recovered: ${text}`);
    epoch ??= subscribed.epoch;
    return { subscribed: 1 };
  },
};

export async function start(about) {
  const server = await live.start({ ...about, topic: { ...about.topic, history: { size: missed } } });
  for (let i = 0; i < missed; i++) server.publish(topicName(0), { lat: 52.5, lon: 13.4, n: i });
  return server;
}
