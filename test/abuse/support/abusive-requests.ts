import { setTimeout as sleep } from 'node:timers/promises';
import { RawPeer } from '../../support/raw-peer.js';
import { canary, mutatedMessage } from './mutated-messages.js';
import type { Random } from './random.js';

const credential = ['Host: localhost', 'Authorization: Bearer abuser'];
const ndjson = 'Content-Type: application/x-ndjson';
/** Looks like the id of a session. No instance has it. */
const strange = `Live-Session: ${'x'.repeat(36)}.${'y'.repeat(32)}`;

const get = (query: string, ...lines: string[]): string =>
  `GET /live/events${query} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
const post = (body: string, ...lines: string[]): string =>
  `POST /live/messages HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
const rightPost = (body: string, session = strange, sequence = 1): string =>
  post(
    body,
    ...credential,
    ndjson,
    session,
    `Live-Sequence: ${String(sequence)}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
  );
const rightGet = get('', ...credential);
const ping = '{"type":"ping"}';

function mutated(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text);
  for (let i = random.below(4); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** Abusive requests of both paths, as bytes, by name. */
const requests: Readonly<Record<string, (random: Random) => string | Buffer>> = {
  'a valid GET': () => rightGet,
  'a GET without a credential': () => get('', 'Host: a'),
  'a mutated GET': (random) => mutated(rightGet, random),
  'a GET with a body': () => `${get('', ...credential, 'Content-Length: 3')}abc`,
  'two GETs': () => rightGet + rightGet,
  'a GET and a POST': () => rightGet + rightPost(ping),
  'a GET that upgrades': () => get('', ...credential, 'Connection: Upgrade', 'Upgrade: websocket'),
  'a GET with odd topics': (random) =>
    get(
      `?topics=${random.pick(['', '%', '%2', ',,,', 'open/a'.repeat(900), 'open/a,open/a', '%00', '$user', '__proto__'])}`,
      ...credential,
      `Last-Event-ID: ${random.pick(['', ':', 'x:1,'.repeat(500), '%:9', '\u00ff:1', 'e:1e9'])}`,
    ),
  'a GET that listens': () => get('?topics=open/stream,slow/a', ...credential),
  'a POST to no session': () => rightPost(ping),
  'a mutated POST': (random) => mutated(rightPost(mutatedMessage(random)), random),
  'POSTs in one write': () => Array.from({ length: 50 }, () => rightPost(ping)).join(''),
  'a POST with half a body': () =>
    post('{', ...credential, ndjson, strange, 'Live-Sequence: 1', 'Content-Length: 900'),
  'a POST with more than its length': () =>
    `${post(ping, ...credential, ndjson, strange, 'Live-Sequence: 1', 'Content-Length: 3')}${'x'.repeat(99)}`,
  'a POST in bad chunks': (random) =>
    post(
      random.pick(['zz\r\n', '5\r\nab\r\n0\r\n\r\n', `${'f'.repeat(16)}\r\n`, '1;x=y\r\na\r\n0\r\n\r\n']),
      ...credential,
      ndjson,
      strange,
      'Live-Sequence: 1',
      'Transfer-Encoding: chunked',
    ),
  'a POST of a megabyte': () => rightPost('x'.repeat(1_048_576)),
  'a POST that says it is large': () =>
    post('', ...credential, ndjson, strange, 'Live-Sequence: 1', 'Content-Length: 99999999999'),
  'a POST that expects': () =>
    post('', ...credential, ndjson, strange, 'Live-Sequence: 1', 'Expect: 100-continue', 'Content-Length: 9'),
  'a POST of another type': (random) =>
    post(
      '{}',
      ...credential,
      `Content-Type: ${random.pick(['', 'text/plain', 'multipart/form-data; boundary=x', 'application/json;;'])}`,
      `Content-Encoding: ${random.pick(['gzip', 'br', ''])}`,
      'Content-Length: 2',
    ),
  'a POST with odd numbers': (random) =>
    post(
      '{}',
      ...credential,
      ndjson,
      `Live-Session: ${random.pick(['', '.', 'a.b', `${'\u00e4'.repeat(36)}.x`, `${'a'.repeat(9_000)}.b`])}`,
      `Live-Sequence: ${random.pick(['', '0', '-1', '1e9', '01', '9'.repeat(40), 'NaN'])}`,
      'Content-Length: 2',
    ),
  'another method': (random) =>
    `${random.pick(['PUT', 'OPTIONS', 'HEAD', 'DELETE', 'TRACE'])} /live/${random.pick(['events', 'messages'])} HTTP/1.1\r\n${credential.join('\r\n')}\r\n\r\n`,
};

/** What became of one abuse: the statuses of its answers, and what went wrong. */
export interface Outcome {
  readonly name: string;
  readonly statuses: readonly number[];
  readonly wrong?: string;
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/(?:^|\n|\})HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

const wrongOf = (name: string, { text }: RawPeer): string | undefined => {
  if (text !== '' && !text.startsWith('HTTP/1.1 ')) return `no HTTP: ${text.slice(0, 200)}`;
  if (statusesOf(text).some((status) => status === 500 || status === 101)) return text.slice(0, 300);
  if (name.includes('without') && text.includes('event: session')) return 'let in without a credential';
  return text.includes(canary) ? `echoed: ${text.slice(0, 300)}` : undefined;
};

async function leave(peer: RawPeer, random: Random): Promise<void> {
  if (random.chance(0.3)) peer.reset();
  else if (random.chance(0.5)) peer.finish();
  await Promise.race([peer.closed, sleep(random.below(30))]);
  peer.socket.destroy();
  await peer.closed;
}

/** One abusive request, whole or cut, read or not. */
export async function abuseRequest(port: number, random: Random): Promise<Outcome> {
  const name = random.pick(Object.keys(requests));
  const data = Buffer.from((requests[name] as (random: Random) => string)(random), 'latin1');
  const peer = await RawPeer.connect(port, random.chance(0.5));
  if (random.chance(0.2)) peer.socket.pause();
  const cut = random.chance(0.3) ? random.below(data.length) : data.length;
  peer.send(data.subarray(0, cut));
  if (cut < data.length && random.chance(0.5)) {
    await sleep(random.below(20));
    if (!peer.socket.destroyed) peer.send(data.subarray(cut));
  }
  const patienceMs = random.chance(0.7) ? 2_000 : random.below(100);
  await Promise.race([peer.until(({ status }) => status > 0).catch(() => {}), sleep(patienceMs)]);
  await leave(peer, random);
  const wrong = wrongOf(name, peer);
  return { name, statuses: statusesOf(peer.text), ...(wrong !== undefined && { wrong }) };
}

/** A session whose client posts mutated messages, repeats, overtakes, and cuts what it posts. */
export async function abuseSession(port: number, random: Random): Promise<Outcome> {
  const stream = await RawPeer.connect(port);
  await stream.send(rightGet).until(({ text }) => /event: session\ndata: \S+\n/.test(text));
  const [, session = ''] = /data: (\S+)\n/.exec(stream.text) ?? [];
  if (random.chance(0.2)) stream.socket.pause();
  const statuses: number[] = [];
  let wrong: string | undefined;
  let sequence = 1;
  for (let round = random.below(6); round >= 0; round--) {
    const body = Array.from({ length: 1 + random.below(40) }, () => mutatedMessage(random)).join('\n');
    const at = random.chance(0.8) ? sequence : random.below(2 * sequence + 2);
    const bytes = Buffer.from(rightPost(body, `Live-Session: ${session}`, at));
    const peer = await RawPeer.connect(port);
    const isCut = random.chance(0.1);
    peer.send(isCut ? bytes.subarray(0, random.below(bytes.length)) : bytes);
    if (!isCut) {
      await Promise.race([peer.answered().catch(() => {}), sleep(2_000)]);
      statuses.push(peer.status);
      if (peer.status === 204 && at === sequence) sequence += 1;
      wrong ??= wrongOf('', peer);
    }
    await leave(peer, random);
  }
  if (random.chance(0.5)) await sleep(20);
  await leave(stream, random);
  wrong ??= echoIn(stream.text);
  return { name: 'a session', statuses, ...(wrong !== undefined && { wrong }) };
}

/** An error repeats nothing but the id, which never has the canary. */
const echoIn = (text: string): string | undefined =>
  /^data: \{"type":"error".*$/gm.exec(text)?.find((line) => line.includes(canary));
