import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientFrame, handshake, RawPeer } from '../support/raw-peer.js';
import { Child } from './support/ask.js';
import type { Bystanders } from './support/bystander.js';
import { compiled } from './support/compiled.js';
import { fragmentBomb, malformedBatch, pings } from './support/malformed-frames.js';
import { canary, mutatedMessage } from './support/mutated-messages.js';
import { expectNoLeak } from './support/memory.js';
import { abuseRun, type Random } from './support/random.js';
import { secondBest } from './support/second-best.js';
import { slowdown } from './support/slowdown.js';
import type { Victim } from './support/victim.js';

const { random, count, timeoutMs } = abuseRun('malformed frames and mutated messages', 100_000);
const megabyte = 1_048_576;
const { folder, remove } = compiled();
const opening = handshake({ headers: { Authorization: 'Bearer abuser' } });

let victim: Child<Victim>;
let bystanders: Child<Bystanders>;
let port: number;
let before: State;
let last: State;

type State = Awaited<ReturnType<Victim['state']>>;

beforeAll(async () => {
  [victim, bystanders] = await Promise.all([
    Child.start<Victim>(folder, 'victim.js', { TARGETS: '1' }),
    Child.start<Bystanders>(folder, 'bystander.js'),
  ]);
  const urls = await victim.ask('urls');
  port = Number(new URL(urls[0] ?? '').port);
  await bystanders.ask('connect', urls);
  // A warm-up, so that later growth is not compiled code, and a measurement without abuse.
  for (let sent = 0; sent < count / 20;) sent += await abuseMessages(random.fork());
  await bystanders.ask('report');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const idle = await bystanders.ask('report');
  say(`without abuse: p50 ${String(idle.p50)} ms, p99 ${String(idle.p99)} ms, max ${String(idle.max)} ms`);
  idleP99 = idle.p99;
  before = last = await settled();
}, 60_000);

let idleP99 = 0;

afterAll(async () => {
  await Promise.all([victim.stop(), bystanders.stop()]);
  remove();
});

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const inMegabytes = (bytes: number): string => `${(bytes / megabyte).toFixed(1)} MB`;

/** The victim's state, once only the bystander is connected. */
async function settled(): Promise<State> {
  const untilMs = performance.now() + 15_000;
  for (;;) {
    const state = await victim.ask('state');
    if ((state.sockets === 1 && state.stats[0]?.connections === 1) || performance.now() > untilMs)
      return state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The bystander's p99 since the last call, as if the server had had a core of its own. */
async function waited(): Promise<number> {
  const { p50, p99, max, requests } = await bystanders.ask('report');
  const { busy } = await victim.ask('state');
  const times = slowdown(last.busy, busy);
  say(
    `bystander: ${String(requests)} requests, p50 ${String(p50)} ms, p99 ${String(p99)} ms, ` +
      `max ${String(max)} ms; server slowed down ${times.toFixed(2)} times`,
  );
  last = await victim.ask('state');
  return p99 / times;
}

/** Checks after each kind of abuse that nobody was harmed. */
async function check(what: string, sent: number): Promise<void> {
  const after = await settled();
  const { stats, sockets, rss, heapUsed, polluted } = after;
  say(
    `${what}: ${String(sent)} sent; RSS ${inMegabytes(before.rss)}, then ${inMegabytes(rss)}; heap ` +
      `${inMegabytes(before.heapUsed)}, then ${inMegabytes(heapUsed)}`,
  );
  const [{ pending, connections, users, topics, subscriptions } = {}] = stats as Partial<
    State['stats'][number]
  >[];
  expect({
    pending,
    connections,
    users,
    topics,
    subscriptions,
    sockets,
    polluted,
    stderr: victim.stderr,
  }).toEqual({
    pending: 0,
    connections: 1,
    users: 1,
    topics: 1,
    subscriptions: 1,
    sockets: 1,
    polluted: false,
    stderr: '',
  });
  expectNoLeak(before, after);
}

/** A busy machine is no fault of the server. */
const tolerableMs = (): number => Math.max(50, 5 * idleP99);

/** Runs `one` repeatedly, `atATime` at once, until `target` messages were sent. */
async function many(
  target: number,
  atATime: number,
  one: (random: Random) => Promise<number>,
): Promise<number> {
  let sent = 0;
  const abuser = async (): Promise<void> => {
    while (sent < target) {
      const more = await one(random.fork());
      sent += more;
    }
  };
  await Promise.all(Array.from({ length: atATime }, abuser));
  return sent;
}

/**
 * Abuse in four parts. Returns the count sent, and the bystander's wait in the second-best part.
 * RSS rises to a plateau in the first half. The second half shows what grows without bound.
 */
async function inParts(atATime: number, one: (random: Random) => Promise<number>): Promise<[number, number]> {
  const waitsMs: number[] = [];
  let sent = 0;
  for (let part = 1; part <= 4; part++) {
    sent += await many(count / 4, atATime, one);
    waitsMs.push(await waited());
    if (part === 2) before = { ...before, rss: (await settled()).rss };
  }
  return [sent, secondBest(waitsMs)];
}

const closeCodes = new Map<string, Set<number>>();

async function abuseFrames(random: Random): Promise<number> {
  const { bytes, frames, kind } = malformedBatch(random);
  const peer = await RawPeer.connect(port);
  peer.send(opening).send(bytes);
  // Ends connections on which the server waits for more.
  const ended = peer.until(({ closeCode }) => closeCode !== undefined).catch(() => peer);
  const patience = setTimeout(() => peer.finish(), 500);
  await ended;
  clearTimeout(patience);
  const { closeCode, status } = peer;
  if (random.chance(0.5)) peer.reset();
  else peer.socket.destroy();
  await peer.closed;
  if (status !== 101) expect.fail(`No 101: ${peer.text}`);
  closeCodes.set(kind, (closeCodes.get(kind) ?? new Set()).add(closeCode ?? 1006));
  return frames;
}

/** Few enough that a bystander's request does not wait long behind them. */
const messagesAtOnce = 50;

async function abuseMessages(random: Random): Promise<number> {
  const peer = await RawPeer.connect(port);
  peer.send(opening);
  let sent = 0;
  for (let round = 0; round < 3 && peer.closeCode === undefined; round++) {
    const texts = Array.from({ length: messagesAtOnce }, () => mutatedMessage(random));
    const last = `"last ${String(round)}"`;
    peer.send(Buffer.concat([...texts, `{"type":"ping","id":${last}}`].map((text) => clientFrame(text))));
    sent += texts.length;
    if (random.chance(0.1)) {
      await leaveInTheMiddle(peer, random);
      break;
    }
    await peer.until(({ text, closeCode }) => text.includes(last) || closeCode !== undefined);
  }
  for (const { opcode, payload } of peer.frames) checkAnswer(opcode, payload);
  peer.socket.destroy();
  await peer.closed;
  return sent;
}

async function leaveInTheMiddle(peer: RawPeer, random: Random): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, random.below(30)));
  const how = random.below(3);
  if (how === 0) peer.reset();
  else if (how === 1) peer.send(clientFrame(Buffer.from([3, 232]), 0x88)).finish();
  else peer.finish();
}

const answers = new Map<string, number>();
const wrongAnswers: string[] = [];
const types = new Set(['welcome', 'subscribed', 'unsubscribed', 'published', 'event', 'pong', 'error']);
const allowedTopic = /^(open|slow)\/[\w.~-]+$/;
const allowedCloses = new Set([1000, 1007, 4002]);

/** Allows only the protocol's own messages, no topics without a right, and no echo of the input. */
function checkAnswer(opcode: number, payload: Buffer): void {
  const text = payload.toString();
  if (opcode === 8) {
    const close = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    countAnswer(`close ${String(close)}`);
    if (!allowedCloses.has(close)) wrongAnswers.push(`close ${String(close)} ${text}`);
  }
  if (opcode !== 1) return;
  // An id comes back unchanged, nothing else does.
  const { id: _id, ...message } = JSON.parse(text) as {
    type: string;
    id?: unknown;
    code?: string;
    topic?: string;
  };
  const { type, code = '', topic = '' } = message;
  countAnswer(`${type} ${code}`.trim());
  const right =
    types.has(type) &&
    (type === 'error'
      ? code !== 'internal' && text.length < 600 && !JSON.stringify(message).includes(canary)
      : topic === '' || type === 'unsubscribed' || allowedTopic.test(topic));
  if (!right) wrongAnswers.push(text.slice(0, 500));
}

function countAnswer(answer: string): void {
  answers.set(answer, (answers.get(answer) ?? 0) + 1);
}

const shown = (counts: ReadonlyMap<string, unknown>): string =>
  [...counts]
    .toSorted()
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');

describe('abusive frames', () => {
  it(
    '[L-2.12] mutated messages harm no other client',
    async () => {
      const [sent, waitMs] = await inParts(3, abuseMessages);
      say(`answers: ${shown(answers)}`);
      expect(wrongAnswers).toEqual([]);
      await check('mutated messages', sent);
      expect(waitMs).toBeLessThan(tolerableMs());
    },
    timeoutMs,
  );

  it(
    '[L-10.3] malformed frames end their own connection and nothing else',
    async () => {
      const [sent, waitMs] = await inParts(8, abuseFrames);
      say(
        `close codes: ${shown(new Map([...closeCodes].map(([kind, codes]) => [kind, [...codes].join('/')])))}`,
      );
      await check('malformed frames', sent);
      expect(waitMs).toBeLessThan(tolerableMs());
      for (const [kind, codes] of closeCodes)
        expect([kind, [...codes].filter((code) => code > 4002)]).toEqual([kind, []]);
    },
    timeoutMs,
  );

  it('[L-9.1] a fragment bomb is closed with 1008', async () => {
    const bomb = async (): Promise<number> => {
      const peer = await RawPeer.connect(port);
      await peer.send(opening).answered();
      peer.send(fragmentBomb);
      await peer.until(({ closeCode }) => closeCode !== undefined);
      expect(peer.closeCode).toBe(1008);
      peer.reset();
      await peer.closed;
      return 16_000;
    };
    await check('pieces of one byte', await many(50 * 16_000, 10, bomb));
  }, 60_000);

  it('a ping flood of a peer that reads nothing ends that peer', async () => {
    const flood = async (): Promise<number> => {
      const peer = await RawPeer.connect(port);
      await peer.send(opening).answered();
      peer.socket.pause();
      let sent = 0;
      while (!peer.socket.destroyed && sent < 40) {
        sent += 1;
        await new Promise<void>((resolve) => {
          peer.socket.write(pings, () => resolve());
          peer.socket.once('close', () => resolve());
        });
      }
      const ended = peer.socket.destroyed;
      peer.reset();
      await peer.closed;
      expect(ended).toBe(true);
      return sent * 8_000;
    };
    await check('pings', await many(1, 3, flood));
  }, 60_000);

  it('[L-4.5] the abuse cost the bystander no message, and the server closes normally', async () => {
    const length = await victim.ask('endStream');
    const { reports } = await bystanders.ask('report');
    expect(reports).toEqual([expect.objectContaining({ gaps: 0, last: length })]);
    expect(reports[0]?.closed).toBeUndefined();
    expect(await victim.ask('close')).toBe(0);
    expect([victim.alive, victim.stderr]).toEqual([true, '']);
  });
});
