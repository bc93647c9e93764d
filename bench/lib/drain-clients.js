// The clients of bench/drain.js and bench/rolling.js: ours, those of socket.io, and plain ones that
// do not know about drains.
import { WebSocket } from 'ws';
import { nowMs } from './shared-clock.js';

/** What one client has received of its topic. */
class Receipts {
  seen = new Set();
  last = -1;
  twice = 0;
  reordered = 0;
  /** Fresh starts since the first one. Each says that something may be missing. */
  told = 0;
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
    instanceId: undefined,
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
  let hasStarted = false;
  await new Promise((started) => {
    live.subscribe(topic, (message) => {
      if (message.type === 'start') {
        if (hasStarted) receipts.told += 1;
        hasStarted = true;
        started();
      } else if (message.type === 'event') receipts.take(message.data);
    });
  });
  client.instanceId = live.status.welcome.instanceId;
  client.handshakesMs.length = 0;
  client.awayMs = 0;
  return client;
}

/** A plain WebSocket that subscribes, and stays closed once it is closed. */
export async function plain(where, topic) {
  const receipts = new Receipts();
  const socket = new WebSocket(where());
  const client = { receipts, instanceId: undefined, closedMs: undefined, code: undefined };
  client.close = () => socket.terminate();
  socket.on('close', (code) => Object.assign(client, { closedMs: nowMs(), code }));
  await new Promise((started, failed) => {
    socket.once('error', failed);
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      if (message.type === 'welcome') {
        client.instanceId = message.instanceId;
        socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic }));
      } else if (message.type === 'subscribed') started();
      else if (message.type === 'event') receipts.take(message.data);
    });
  });
  return client;
}

/** A client of socket.io, with its own reconnecting and recovery. */
export async function socketIo(where, topic) {
  const { io } = await import('socket.io-client');
  const receipts = new Receipts();
  const socket = io(where(), { transports: ['websocket'], forceNew: true });
  const client = {
    receipts,
    instanceId: undefined,
    handshakesMs: [],
    awayMs: 0,
    isOpen: () => socket.connected,
    close: () => socket.close(),
  };
  let awaySinceMs;
  socket.io.on('reconnect_attempt', () => {
    socket.io.uri = where();
    client.handshakesMs.push(nowMs());
  });
  socket.on('disconnect', () => {
    awaySinceMs ??= nowMs();
  });
  socket.on('hello', (instanceId) => {
    client.instanceId ??= instanceId;
  });
  socket.on('event', (data) => receipts.take(data));
  await new Promise((started) => {
    socket.on('connect', () => {
      client.awayMs += awaySinceMs === undefined ? 0 : nowMs() - awaySinceMs;
      if (awaySinceMs !== undefined && !socket.recovered) receipts.told += 1;
      awaySinceMs = undefined;
      if (!socket.recovered) socket.emit('join', topic, started);
    });
  });
  return client;
}
