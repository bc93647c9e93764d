// The clients of bench/drain.js: ours, and plain ones that do not know about drains.
import { WebSocket } from 'ws';
import { nowMs } from './shared-clock.js';

/** What one client has received of its topic. */
class Receipts {
  seen = new Set();
  last = -1;
  twice = 0;
  reordered = 0;
  /** Delays of the deliveries since they were last taken. */
  delays = [];

  take({ n, atMs }) {
    this.delays.push(nowMs() - atMs);
    if (this.seen.has(n)) this.twice += 1;
    else if (n < this.last) this.reordered += 1;
    this.seen.add(n);
    this.last = Math.max(this.last, n);
  }
}

/** Our client. It dials whatever address `where` returns at that time. */
export async function knowing(connect, where, topic) {
  const receipts = new Receipts();
  const client = {
    receipts,
    leaving: false,
    handshakesMs: [],
    awayMs: 0,
    isOpen: () => live.status.state === 'open',
    close: () => live.close(),
  };
  class Balanced extends WebSocket {
    constructor(_url, protocols) {
      super(where(), protocols);
      client.handshakesMs.push(nowMs());
    }
  }
  const live = connect('ws://balanced.invalid', { webSocket: Balanced });
  let awaySinceMs;
  live.on('status', ({ state }) => {
    if (state === 'open') {
      client.awayMs += awaySinceMs === undefined ? 0 : nowMs() - awaySinceMs;
      awaySinceMs = undefined;
    } else awaySinceMs ??= nowMs();
  });
  await new Promise((started) => {
    live.subscribe(topic, (message) => {
      if (message.type === 'start') started();
      else if (message.type === 'event') receipts.take(message.data);
    });
  });
  client.handshakesMs.length = 0;
  client.awayMs = 0;
  return client;
}

/** A plain WebSocket that subscribes, and stays closed once it is closed. */
export async function plain(where, topic) {
  const receipts = new Receipts();
  const socket = new WebSocket(where());
  const client = { receipts, leaving: false, closedMs: undefined, code: undefined };
  client.close = () => socket.terminate();
  socket.on('close', (code) => Object.assign(client, { closedMs: nowMs(), code }));
  await new Promise((started, failed) => {
    socket.once('error', failed);
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      if (message.type === 'welcome') socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic }));
      else if (message.type === 'subscribed') started();
      else if (message.type === 'event') receipts.take(message.data);
    });
  });
  return client;
}
