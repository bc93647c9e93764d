import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { listen } from './peer.js';

export const title = 'socket.io, websocket only';

export function missing() {
  const folder = new URL('../node_modules/socket.io', import.meta.url);
  return existsSync(folder) ? undefined : 'npm ci, in the folder bench';
}

/** @type {import('./peer.js').Dialect} */
export const dialect = {
  handshake: () => ({ path: '/socket.io/?EIO=4&transport=websocket' }),
  opened: () => ({}),
  // Engine.IO packets: `0` open, `2` ping, `3` pong, `4` message. Socket.IO: `0` connect, `2`
  // event.
  heard: (text, topics) => {
    if (text.startsWith('0')) return { say: ['40'] };
    if (text === '2') return { say: ['3'] };
    if (text.startsWith('40')) {
      return topics.length === 0
        ? { welcome: true }
        : { welcome: true, say: [`42${JSON.stringify(['subscribe', topics])}`] };
    }
    if (text.startsWith('42["subscribed"')) return { subscribed: topics.length };
    throw new Error(`Unexpected: ${text}`);
  },
  // `42["event"`: no other message has an `e` at this position.
  isEvent: (bytes, start, end) => end - start > 4 && bytes[start + 4] === 0x65,
};

export async function start() {
  const { Server } = await import('socket.io');
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });
  // Recommended by its documentation to save memory.
  io.engine.on('connection', (socket) => {
    socket.request = null;
  });
  io.on('connection', (socket) => {
    socket.on('subscribe', (topics) => {
      void socket.join(topics);
      socket.emit('subscribed');
    });
  });
  const port = await listen(server);
  return {
    port,
    publish: (topic, data) => io.to(topic).emit('event', { topic, data }),
  };
}
