// What does a small write to a socket cost, by the way in which it is made?
import { fork } from 'node:child_process';
import { writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { pinSelf } from './lib/asking.js';
import { endsWithThis } from './lib/ending.js';
import { missingNative, sendBatch } from './lib/native.js';
import { environmentText } from './lib/environment.js';
import { progress, readOptions } from './lib/options.js';
import { median, spread } from './lib/statistics.js';
import { percent, short, table } from './lib/table.js';

const help = `node bench/writes.js [options]

Writes the same bytes to each socket, once a tick, and prints the CPU time of a write. "stream" is what nestjs-live does. The
others leave Node's stream out: they show what could be saved below it, and depend on what Node does not document. "batch" is
the function of nestjs-live-native, with 256 sockets in a call: it is compiled if there is a C compiler, and else left out.

  --sockets 1000   sockets, all read by another process
  --bytes 300      of a write
  --ticks 60       in a round
  --rounds 7       in rotating order
`;

/** Sockets in a call of the native batch. */
const perCall = 256;
const rows = new Int32Array(3 * perCall);

if (process.argv[2] === 'read') {
  pinSelf(1);
  for (let i = 0; i < Number(process.argv[4]); i++)
    connect(Number(process.argv[3]), '127.0.0.1').on('data', () => {});
} else await measure();

async function measure() {
  const options = await readOptions({ sockets: '1000', bytes: '300', ticks: '60', rounds: '7' }, help);
  const [count, byteLength, ticks, rounds] = ['sockets', 'bytes', 'ticks', 'rounds'].map((name) =>
    Number(options[name]),
  );
  const about = environmentText();
  pinSelf(0);
  const sockets = await openSockets(count);
  const bytes = Buffer.alloc(byteLength, 'x');
  // Node has no other name for what its own streams use.
  const { WriteWrap } = /** @type {any} */ (process).binding('stream_wrap');
  const ways = {
    'stream: socket.write': each((socket) => socket.write(bytes)),
    'descriptor: fs.writeSync': each(({ _handle: { fd } }) => writeSync(fd, bytes)),
    'handle: writeBuffer': each(({ _handle }) => _handle.writeBuffer(new WriteWrap(), bytes)),
    ...(await nativeWays(bytes)),
  };
  const names = Object.keys(ways);
  const figures = new Map(names.map((name) => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + names.length) % names.length];
      const cpu = await microsecondsOf(sockets, ticks, ways[name]);
      if (round >= 0) figures.get(name).push(cpu);
    }
    progress('.');
  }
  progress('\n');
  const base = median(figures.get(names[0]));
  const lines = names.map((name) => {
    const its = figures.get(name);
    return [name, short(median(its)), percent(spread(its)), short(median(its) / base)];
  });
  process.stdout.write(
    [
      '## Writes',
      '',
      `${String(byteLength)} bytes to each of ${String(count)} sockets, once a tick.`,
      '',
      about,
      '',
      table(['way', '>CPU µs a write', '>spread', '>ratio'], lines),
      '',
      '',
    ].join('\n'),
  );
  process.exit(0);
}

/** Sockets of this process whose other ends are read by another one. */
function openSockets(count) {
  const sockets = [];
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.push(socket);
      if (sockets.length === count) resolve(sockets);
    });
    server.listen(0, '127.0.0.1', 1_024, () => {
      const { port } = /** @type {any} */ (server.address());
      endsWithThis(fork(new URL(import.meta.url), ['read', String(port), String(count)]));
    });
  });
}

function each(write) {
  return (sockets) => {
    for (const socket of sockets) write(socket);
  };
}

/** The sockets of a call get the same buffer, as subscribers of a topic do, or one each. */
async function nativeWays(bytes) {
  const missing = missingNative();
  if (missing !== undefined) {
    progress(`\n!! The native batch is left out: ${missing}\n\n`);
    return {};
  }
  const send = await sendBatch();
  const copies = Array.from({ length: perCall }, () => Buffer.from(bytes));
  return {
    'batch: send, one buffer': (sockets) => inCalls(sockets, send, [bytes]),
    'batch: send, a buffer each': (sockets) => inCalls(sockets, send, copies),
  };
}

function inCalls(sockets, send, buffers) {
  for (let start = 0; start < sockets.length; start += perCall) {
    const count = Math.min(perCall, sockets.length - start);
    for (let i = 0; i < count; i++) {
      rows[3 * i] = sockets[start + i]._handle.fd;
      rows[3 * i + 1] = i % buffers.length;
    }
    send(count, rows, buffers);
    for (let i = 0; i < count; i++)
      if (rows[3 * i + 2] !== buffers[0].length)
        throw new Error(`A write returned ${String(rows[3 * i + 2])}`);
  }
}

async function microsecondsOf(sockets, ticks, write) {
  let cpu = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const before = process.cpuUsage();
    write(sockets);
    // A stream ends its writes after the tick.
    await nextTurn();
    const { user, system } = process.cpuUsage(before);
    cpu += user + system;
    // The readers empty the sockets, so that no write has to wait.
    await sleep(20);
  }
  return cpu / (ticks * sockets.length);
}
