import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Random } from './random.js';

/** Positions from which topics can be recovered. */
export type Epochs = ReadonlyMap<string, string>;

/** Totals of all connections. */
export const outcome = {
  connections: 0,
  refusedConnections: 0,
  messages: 0,
  bytes: 0,
  errors: new Map<string, number>(),
};

const odd = ['""', '"x"', `"${'i'.repeat(64)}"`, '1e308', '-0', '0.1', '9007199254740993', '"\\ud800"'];
const rates = [0.01, 0.02, 0.5, 3, 1_000];

/** One message within the right to read everything. */
function message(random: Random, epochs: Epochs): string {
  const id = random.pick(odd);
  const [topic, epoch] = random.pick([...epochs]);
  const name = `${random.pick(['a', 'b~', '...', 'kept'])}/${String(random.below(2 ** 32))}`;
  const since = (offset: number): string => `"since":{"epoch":"${epoch}","offset":${String(offset)}}`;
  const subscribe = (to: string, more = ''): string =>
    `{"type":"subscribe","id":${id},"topic":"${to}"${more === '' ? '' : `,${more}`}}`;
  return random.pick([
    () => subscribe(name),
    () => subscribe(`${name}/presence`),
    () => subscribe(topic),
    () => subscribe(topic, since(0)),
    () => subscribe(topic, since(random.below(25))),
    () => subscribe(`${topic}/presence`),
    () => subscribe(`live/${String(random.below(5))}`, `"maxRate":${String(random.pick(rates))}`),
    () => `{"type":"unsubscribe","id":${id},"topic":"${topic}"}`,
  ])();
}

/** One connection that uses its whole rate and more, sometimes without reading the answers. */
async function attack(url: string, random: Random, epochs: Epochs): Promise<void> {
  const socket = new WebSocket(url, { headers: { authorization: 'Bearer hostile' } });
  socket.on('error', () => {});
  const opened = await new Promise<boolean>((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  outcome.connections += 1;
  if (!opened) {
    outcome.refusedConnections += 1;
    await sleep(50);
    return;
  }
  socket.on('message', (data: Buffer) => {
    outcome.bytes += data.length;
    const code = /^\{"type":"error",.{0,90}"code":"([\w-]+)"/.exec(data.subarray(0, 200).toString())?.[1];
    if (code !== undefined) outcome.errors.set(code, (outcome.errors.get(code) ?? 0) + 1);
  });
  const burst = random.below(168);
  const send = (): void => {
    outcome.messages += 1;
    socket.send(message(random, epochs));
  };
  if (random.chance(0.3)) socket.pause();
  for (let i = 0; i < burst; i++) send();
  const rounds = random.below(60);
  for (let i = 0; i < rounds && socket.readyState === WebSocket.OPEN; i++) {
    await sleep(50);
    send();
  }
  socket.terminate();
}

/** One user's worst case: 20 connections at a time until the time is up. */
export async function attackFor(ms: number, url: string, random: Random, epochs: Epochs): Promise<void> {
  const endMs = performance.now() + ms;
  const attacker = async (): Promise<void> => {
    while (performance.now() < endMs) await attack(url, random.fork(), epochs);
  };
  await Promise.all(Array.from({ length: 20 }, attacker));
}
