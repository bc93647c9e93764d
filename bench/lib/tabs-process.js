// All tabs of a run, in one process on its own core: the client as it is published.
import { setMaxListeners } from 'node:events';
import { WebSocket } from 'ws';
import { loadPeer } from '../peers/peer.js';
import { answer } from './asking.js';
import { WebLocks } from './web-locks.js';

const openMs = 60_000;
/** Browsers with tabs that start at the same time. */
const concurrency = 16;

// Node takes a signal with more than ten listeners for a leak, and a leader has one for each tab.
setMaxListeners(0);

/** What a tab finds in its browser. BroadcastChannel is in Node itself. */
Object.assign(globalThis, { WebSocket });
Object.defineProperty(globalThis, 'navigator', { value: { locks: new WebLocks() }, configurable: true });

/** @type {{ close(): void }[]} */
let clients = [];
const seen = { delivered: 0 };

/** The credential of a user, as a handshake of the peer presents it. */
function credentialOf(dialect, index) {
  const { headers } = dialect.handshake(index, []);
  return headers.find((each) => each.startsWith('Authorization: ')).split(' ')[2];
}

async function openTab({ connect, shared }, { url, credential, as, topics }) {
  const webSocket = as === undefined ? WebSocket : shared({ as });
  const client = connect(url, { credential, webSocket });
  clients.push(client);
  const starts = topics.map(
    (topic) =>
      new Promise((resolve, reject) => {
        client.subscribe(topic, ({ type }) => {
          if (type === 'event') seen.delivered += 1;
          else if (type === 'start') resolve();
          else reject(new Error(`${topic}: ${type}`));
        });
        setTimeout(() => reject(new Error(`${topic} did not start`)), openMs).unref();
      }),
  );
  await Promise.all(starts);
}

answer({
  /**
   * Opens browsers with some tabs each. A browser has a user of its own. `topics` has those of each
   * tab.
   */
  async open({ dist, peer, port, browsers, firstIndex, shares, topics }) {
    const { dialect } = await loadPeer(peer);
    const { connect } = await import(`${dist}client/index.js`);
    const { shared } = await import(`${dist}tabs/index.js`);
    const url = `ws://127.0.0.1:${String(port)}/live`;
    let next = firstIndex;
    const worker = async () => {
      for (let index = next++; index < firstIndex + browsers; index = next++) {
        const credential = credentialOf(dialect, index);
        const as = shares ? `user-${String(index)}` : undefined;
        for (const its of topics) await openTab({ connect, shared }, { url, credential, as, topics: its });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  },

  /** Waits for deliveries, and then a moment for more. Resolves with their number. */
  async delivered({ count }) {
    const endMs = performance.now() + 15_000;
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    while (seen.delivered < count && performance.now() < endMs) await wait(20);
    await wait(100);
    return seen.delivered;
  },

  close() {
    for (const client of clients) client.close();
    clients = [];
    seen.delivered = 0;
  },
});
