// A naive bridge: `ws` sockets behind Redis Pub/Sub, with the automatic reconnect of the client.
// fork('naive-bridge.mjs', [JSON of { broker, pubsub, port, first }])
// It speaks the protocol and obeys its parent like `instance.mjs`.
import { createClient } from '@redis/client';
import { WebSocketServer } from 'ws';

const { broker, pubsub, port, first } = JSON.parse(process.argv[2]);
// It subscribes through its own URL, so that a test can cut only that connection.
const [commands, subscriber] = [broker, pubsub].map((url) =>
  createClient({ url, socket: { reconnectStrategy: () => 50 } }),
);
for (const client of [commands, subscriber]) client.on('error', () => {});
await Promise.all([commands.connect(), subscriber.connect()]);

const readers = new Map();
const server = new WebSocketServer({ port, host: '127.0.0.1' });
await new Promise((listening) => {
  server.once('listening', listening);
});
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, topic, type } = JSON.parse(data.toString());
    if (type === 'subscribe') void join(socket, id, topic);
    else if (type === 'ping') socket.send(JSON.stringify({ type: 'pong', id }));
  });
});

async function join(socket, id, topic) {
  if (!readers.has(topic)) {
    readers.set(topic, new Set());
    await subscriber.subscribe(topic, (text) => {
      for (const reader of readers.get(topic)) reader.send(text);
    });
  }
  const offset = Number((await commands.get(`count:${topic}`)) ?? 0);
  socket.send(JSON.stringify({ type: 'subscribed', id, topic, epoch: 'naive', offset, recovered: false }));
  readers.get(topic).add(socket);
}

let number = first;
let acknowledged = [];
let timer;

async function publish(topics) {
  const n = number++;
  const topic = topics[n % topics.length];
  const offset = await commands.incr(`count:${topic}`);
  await commands.publish(
    topic,
    JSON.stringify({ type: 'event', topic, offset, data: { n, at: Date.now() } }),
  );
  acknowledged.push([topic, n, 'naive', offset]);
}

process.on('message', (message) => {
  if (message.do === 'publish') {
    timer = setInterval(() => {
      for (let i = 0; i < message.perSecond / 100; i++) publish(message.topics).catch(() => {});
    }, 10);
  } else if (message.do === 'stop') {
    clearInterval(timer);
    setTimeout(() => {
      process.send({ said: 'acknowledged', list: acknowledged });
      acknowledged = [];
      process.send({ said: 'stopped' });
    }, 500);
  }
});
process.on('disconnect', () => process.exit());
process.send({ said: 'listening', sockets: `ws://127.0.0.1:${server.address().port}`, http: '' });
