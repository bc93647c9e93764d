import { setTimeout as sleep } from 'node:timers/promises';
import { clientFrame, handshake, RawPeer } from '../../support/raw-peer.js';
import type { Random } from './random.js';

interface Abuse {
  readonly bytes: (random: Random) => string | Buffer;
  /** Whether a 101 would be wrong under all circumstances. */
  readonly neverIn?: true;
}

const credential = { Authorization: 'Bearer abuser' };
const right = handshake({ headers: credential });
const having = (name: string, value: string | undefined): string =>
  handshake({ headers: { ...credential, [name]: value } });
const line = (text: string): string => handshake({ headers: credential, line: text });
const more = (...lines: string[]): string => handshake({ headers: credential, more: lines });
const after = (head: string, tail: Buffer): Buffer => Buffer.concat([Buffer.from(head, 'latin1'), tail]);
const early = clientFrame('{"type":"subscribe","id":1,"topic":"slow/abused"}');

function mutated(random: Random): Buffer {
  const bytes = Buffer.from(right);
  for (let i = random.below(4); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
  const cut = random.below(bytes.length);
  return random.chance(0.3)
    ? Buffer.concat([bytes.subarray(0, cut), bytes.subarray(cut + random.below(9))])
    : bytes;
}

/** All abuses before the 101, by name. */
export const abuses: Readonly<Record<string, Abuse>> = {
  'a valid handshake': { bytes: () => right },
  'no credential': { bytes: () => handshake(), neverIn: true },
  garbage: { bytes: (random) => random.bytes(1 + random.below(300)), neverIn: true },
  'half the headers': { bytes: (random) => right.slice(0, random.below(right.length - 4)), neverIn: true },
  'mutated bytes': { bytes: mutated },
  'garbage as early data': { bytes: (random) => after(right, random.bytes(1 + random.below(2_000))) },
  'an invalid frame as early data': { bytes: () => after(right, clientFrame('x', 0x83)) },
  'early frames': { bytes: () => after(right, Buffer.concat([early, early])) },
  'much early data': { bytes: () => after(right, Buffer.alloc(200_000, clientFrame('{"type":"x"}'))) },
  'a body': { bytes: () => `${having('Content-Length', '5')}HELLO`, neverIn: true },
  'a chunked body': {
    bytes: () => `${having('Transfer-Encoding', 'chunked')}1\r\na\r\n0\r\n\r\n`,
    neverIn: true,
  },
  'a body behind many headers': {
    bytes: () => more(...Array.from({ length: 150 }, (_, i) => `X-${String(i)}: y`), 'Content-Length: 5'),
    neverIn: true,
  },
  'a GET before it': { bytes: () => `GET / HTTP/1.1\r\nHost: a\r\n\r\n${right}` },
  '3,000 headers': { bytes: () => more(...Array.from({ length: 3_000 }, () => 'a:b')), neverIn: true },
  'a bad Host': {
    bytes: (random) => having('Host', random.pick(['[', '', 'a b', '//', '[::1', 'ä'])),
    neverIn: true,
  },
  'a wrong version': {
    bytes: (random) => having('Sec-WebSocket-Version', random.pick(['7', '8', '', '13, 13'])),
    neverIn: true,
  },
  'HTTP/1.0': { bytes: () => line('GET /live HTTP/1.0'), neverIn: true },
  'a wrong path': {
    bytes: (random) => line(`GET ${random.pick(['/', '//', '/live/x', '*', '/li%76e'])} HTTP/1.1`),
    neverIn: true,
  },
  'a wrong key': {
    bytes: (random) => having('Sec-WebSocket-Key', random.pick([undefined, '', 'short', '='.repeat(24)])),
    neverIn: true,
  },
  'doubled headers': {
    bytes: (random) =>
      more(
        random.pick([
          'Host: b',
          'Upgrade: websocket',
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
          'Authorization: Bearer b',
        ]),
      ),
    neverIn: true,
  },
  'a bad subprotocol list': { bytes: () => having('Sec-WebSocket-Protocol', 'live.v1,,;"'), neverIn: true },
  'a huge URL': {
    bytes: (random) => line(`GET /live?${'x'.repeat(17_000 + random.below(60_000))} HTTP/1.1`),
    neverIn: true,
  },
  'another method': {
    bytes: (random) => line(`${random.pick(['POST', 'CONNECT', 'HEAD', 'PRI', 'GOT'])} /live HTTP/1.1`),
    neverIn: true,
  },
};

const endings = ['reset', 'finish', 'destroy', 'stay', 'stay', 'stay'] as const;

/** The result of an abuse: its first answer, or 0. */
export interface Outcome {
  readonly name: string;
  readonly status: number;
  /** A description of what went wrong, if anything. */
  readonly wrong?: string;
}

/** One abusive handshake, from its first byte until the socket is closed. */
export async function abuse(port: number, random: Random): Promise<Outcome> {
  const name = random.pick(Object.keys(abuses));
  const { bytes, neverIn } = abuses[name] as Abuse;
  const data = Buffer.from(bytes(random) as string, 'latin1');
  const ending = random.pick(endings);
  const peer = await RawPeer.connect(port, random.chance(0.5));
  if (random.chance(0.2)) peer.socket.pause();
  const cut = random.chance(0.3) ? random.below(data.length) : data.length;
  peer.send(data.subarray(0, cut));
  if (random.chance(0.3)) await sleep(random.below(20));
  if (cut < data.length && !peer.socket.destroyed) peer.send(data.subarray(cut));
  if (ending === 'stay') {
    await Promise.race([peer.until(({ status }) => status > 0).catch(() => {}), sleep(2_000)]);
    // Garbage after a 101.
    if (peer.status === 101 && !peer.socket.destroyed) peer.send(random.bytes(1 + random.below(200)));
  } else {
    // Ends before, during or after the guard.
    await sleep(random.below(200));
  }
  if (ending === 'reset') peer.reset();
  else if (ending === 'finish') {
    peer.finish();
    await Promise.race([peer.closed, peer.ended, sleep(random.below(200))]);
  }
  peer.socket.destroy();
  await peer.closed;
  const wrong = fault(peer, neverIn === true);
  return { name, status: peer.status, ...(wrong !== undefined && { wrong }) };
}

function fault({ text }: RawPeer, neverIn: boolean): string | undefined {
  const [before = '', after] = text.split('HTTP/1.1 101 ');
  if (after !== undefined && neverIn) return `accepted: ${before}`;
  if (after?.includes('HTTP/1.1 ') === true) return `HTTP after a 101: ${after.slice(0, 300)}`;
  return text === '' || text.startsWith('HTTP/1.1 ') ? undefined : `no HTTP: ${text.slice(0, 100)}`;
}
