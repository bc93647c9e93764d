import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker, type NatsBrokerOptions } from '../../src/brokers/nats/index.js';
import { latestLimits } from '../../src/core/stream/latest.js';
import { makeCertificate } from '../support/certificate.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer, openssl, runsWith } from '../support/programs.js';
import { BrokerReader } from './support/broker-reader.js';
import { sleep, until } from './support/waiting.js';

const nats = describeWith(natsServer);
const history = { size: 10, ttlMs: 60_000, maxBytes: 1_000 };
const limits = { count: 300, bytes: 1_000_000 };

async function startServer(config?: (folder: string) => string): Promise<NatsServer> {
  const server = await NatsServer.start(config && { config });
  onTestFinished(() => server.remove());
  return server;
}

async function open(options: NatsBrokerOptions) {
  const said: string[] = [];
  const broker = new NatsBroker({
    ...options,
    onError: (doing, error) => said.push(`${doing}: ${String((error as Error).stack)}`),
  });
  onTestFinished(() => broker.close());
  const reader = new BrokerReader(broker);
  await until(`the broker is available: ${said.join()}`, () => broker.available || said.length > 0, 5_000);
  return { broker, reader, said };
}

/** Uses every feature of a broker. */
async function useAll({ broker, reader }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await reader.follow('t');
  for (let i = 0; i < 80; i++) {
    await broker.publish('t', '"12345678"', { history, key: `k${String(i)}`, latest: 'last-per-key' });
  }
  await broker.publish('t', '1', { history, idempotencyKey: 'x', version: 1 });
  await broker.publish('t', '1', { history, idempotencyKey: 'x' });
  expect((await broker.latest('t')).publications).toHaveLength(80);
  await broker.signal('hello');
  await reader.caughtUp();
  expect([reader.readings.get('t')?.taken.size, reader.readings.get('t')?.reported]).toEqual([81, []]);
}

nats('NATS users and rights', () => {
  it('the NATS broker needs no more rights than the guide gives', async () => {
    const guide = readFileSync(resolve(import.meta.dirname, '../../docs/nats.md'), 'utf8');
    const [, rights = ''] = /^```\n(permissions: .*?)^```/ms.exec(guide) ?? [];
    const server = await startServer(
      () => `authorization { users = [ { user: live, password: secret, ${rights} } ] }`,
    );
    const url = server.url.replace('//', '//live:secret@');
    const small = { messagesPerTopic: 64 };
    const used = await open({ url, stream: small, lingerMs: 100 });
    await useAll(used);
    // Different limits change the stream.
    const again = await open({ url, stream: { ...small, retentionMs: 60_000 } });
    await again.broker.publish('u', '1', { history });
    await used.broker.unsubscribe('t');
    await until('it is unsubscribed', () => used.broker.subscribedTopics === 0, 2_000);
    expect([used.said, again.said]).toEqual([[], []]);
  });

  it('the NATS broker reports which right is missing', async () => {
    const server = await startServer(
      () =>
        'authorization { users = [ { user: a, password: b, permissions: { publish: ">", subscribe: { allow: [ "_INBOX.>", "live.signal", "live.turn", "live.out.%life" ] } } } ] }',
    );
    const { broker, said } = await open({ url: server.url.replace('//', '//a:b@') });
    await expect(broker.subscribe('t')).rejects.toThrow(/permissions violation/i);
    await until('it is reported', () => said.length > 0, 2_000);
    expect(said[0]).toMatch(/^using NATS: .*live\.out\.t/);
    expect(broker.available).toBe(true);
  });

  it('the NATS broker connects with a token, an nkey or the text of a .creds file', async () => {
    const token = await startServer(() => 'authorization { token: "canary/?" }');
    await useAll(await open({ url: token.url.replace('//', '//canary%2F%3F@') }));
    const user = nkeys.createUser();
    const seed = new TextDecoder().decode(user.getSeed());
    const keyed = await startServer(() => `authorization { users = [ { nkey: ${user.getPublicKey()} } ] }`);
    await useAll(await open({ url: keyed.url, nkey: seed }));
    const stranger = await open({
      url: keyed.url,
      nkey: new TextDecoder().decode(nkeys.createUser().getSeed()),
    });
    expect([stranger.broker.available, stranger.said[0]]).toEqual([
      false,
      expect.stringMatching(/^connecting to NATS: .*authorization/i),
    ]);
    expect(() => new NatsBroker({ creds: 'canary' })).not.toThrow();
  });

  it.runIf(runsWith(openssl))(
    'the NATS broker connects by tls:// only if it trusts the certificate',
    async () => {
      const server = await startServer((folder) => {
        const { cert, key } = makeCertificate(folder);
        return `tls { cert_file: "${cert}", key_file: "${key}" }`;
      });
      const url = server.url.replace('nats:', 'tls:');
      const stranger = await open({ url });
      expect([stranger.broker.available, stranger.said[0]]).toEqual([
        false,
        expect.stringMatching(/certificate/i),
      ]);
      await useAll(await open({ url, client: { tls: { caFile: join(server.folder, 'cert.pem') } } }));
    },
  );

  it('the NATS broker sends no secret if it requires TLS and the server has none', async () => {
    const server = await startServer(() => 'authorization { token: canary }');
    const { broker, said } = await open({ url: server.url.replace('nats://', 'tls://canary@') });
    expect(broker.available).toBe(false);
    expect(said.join()).not.toContain('canary');
  });

  it('the NATS broker keeps streams and prefixes apart, and does not touch a foreign stream', async () => {
    const server = await startServer();
    await server.withManager((jsm) => jsm.streams.add({ name: 'LIVE', subjects: ['orders.>'] }));
    const refused = await open({ url: server.url });
    expect(refused.said[0]).toContain('The stream "LIVE" exists but does not belong to nestjs-live');
    const worlds = [
      await open({ url: server.url, stream: { name: 'A', prefix: 'a' } }),
      await open({ url: server.url, stream: { name: 'B', prefix: 'a.b' } }),
    ];
    for (const { reader } of worlds) await reader.follow('t');
    for (const [i, { broker }] of worlds.entries()) await broker.publish('t', String(i), { history });
    for (const [i, { reader }] of worlds.entries()) {
      await reader.caughtUp();
      expect([...(reader.readings.get('t')?.taken.values() ?? [])]).toEqual([String(i)]);
    }
    expect(worlds.map(({ broker }) => broker.junkTotal)).toEqual([0, 0]);
  });
});

nats('What NATS keeps', () => {
  it('[L-4.2] a topic gets a new epoch when nothing was published for the retention time, even if it is read', async () => {
    const server = await startServer();
    const { broker } = await open({ url: server.url, stream: { retentionMs: 2_000 } });
    const position = await broker.publish('read', '1', { history });
    let last = await broker.publish('published', '1', { history });
    for (let i = 0; i < 8; i++) {
      await sleep(500);
      await broker.tops(['read']);
      last = await broker.publish('published', '1', { history });
    }
    expect(last).toEqual({ epoch: last.epoch, offset: 9 });
    const top = (await broker.tops(['read'])).get('read');
    expect(top).toMatchObject({ offset: 0 });
    expect(top?.epoch).not.toBe(position.epoch);
    expect((await broker.read('read', { ...position, offset: 0 }, limits)).missed).toBeUndefined();
    expect((await broker.read('read', position, limits)).missed).toBeUndefined();
    expect(await broker.publish('read', '2', { history })).toEqual({ ...top, offset: 1 });
  });

  it('reading thousands of unpublished topics does not change the NATS stream', async () => {
    const server = await startServer();
    const { broker } = await open({ url: server.url });
    await broker.publish('t', '1', { history });
    const state = () => server.withManager(async (jsm) => (await jsm.streams.info('LIVE')).state);
    const before = await state();
    const topics = Array.from({ length: 2_000 }, (_, i) => `chat/${String(i)}`);
    const tops = await broker.tops(topics);
    for (const topic of topics.slice(0, 200)) {
      await broker.subscribe(topic);
      const since = { epoch: 'x', offset: 1 };
      expect((await broker.read(topic, since, limits)).top).toEqual(tops.get(topic));
      expect(await broker.latest(topic)).toEqual({ top: tops.get(topic), publications: [] });
      await broker.unsubscribe(topic);
    }
    expect(new Set([...tops.values()].map(({ epoch, offset }) => `${epoch} ${String(offset)}`)).size).toBe(1);
    expect(await state()).toEqual(before);
    expect(await broker.publish('chat/7', '1', {})).toEqual({ ...tops.get('chat/7'), offset: 1 });
  });

  it('[L-6.5] the last publication of each key survives in a stream that keeps only a few messages per topic', async () => {
    const server = await startServer();
    const options = { url: server.url, stream: { messagesPerTopic: 64 } };
    const [one, two] = [await open(options), await open(options)];
    const text = (n: number): string => JSON.stringify(String(n).padEnd(2_000, '.'));
    for (let n = 1; n <= 600; n++) {
      const { broker } = n % 3 === 0 ? one : two;
      await broker.publish('t', text(n), { key: `k${String(n % 300)}`, latest: 'last-per-key' });
    }
    // A new instance knows nothing of them yet.
    for (const { broker, said } of [one, two, await open(options)]) {
      const { top, publications } = await broker.latest('t');
      expect([top.offset, publications.length, said]).toEqual([600, 300, []]);
      const wrong = publications.filter(({ offset, data }) => offset <= 300 || data !== text(offset));
      expect(wrong).toEqual([]);
    }
    const kept = await server.withManager(async (jsm) => (await jsm.streams.info('LIVE')).state.messages);
    // The topic's messages and two bases of three messages each, with one more base possibly in
    // progress.
    expect(kept).toBeLessThanOrEqual(64 + 9);
  });

  it('[L-6.5] the last publication of the maximum number of keys survives with the fewest messages per topic', async () => {
    const server = await startServer();
    const options = { url: server.url, stream: { messagesPerTopic: 64 } };
    const { broker, said } = await open(options);
    const keys = Array.from({ length: latestLimits.keys }, (_, i) => String(i).padEnd(128, '€'));
    const data = JSON.stringify('x'.repeat(latestLimits.bytes / latestLimits.keys - 3));
    // Twice and a bit more, so that one complete base follows another.
    const rounds = [...keys, ...keys, ...keys.slice(0, 1_000)];
    for (let at = 0; at < rounds.length; at += 100) {
      const some = rounds.slice(at, at + 100);
      await Promise.all(some.map((key) => broker.publish('t', data, { key, latest: 'last-per-key' })));
    }
    const fresh = await open(options);
    const { publications } = await fresh.broker.latest('t');
    expect([said, fresh.said]).toEqual([[], []]);
    expect(publications.map(({ key }) => key)).toEqual([...keys.slice(1_000), ...keys.slice(0, 1_000)]);
  }, 60_000);

  it('[L-4.15] a duplicate of a publication that is no longer stored is answered with its position, or with 0', async () => {
    const server = await startServer();
    const options = { url: server.url, stream: { messagesPerTopic: 64 } };
    const first = { idempotencyKey: 'k' };
    const { broker } = await open(options);
    const [receiver, other] = [await open(options), await open(options)];
    await receiver.reader.follow('t');
    await broker.publish('t', '0', {});
    const { epoch } = await broker.publish('t', '1', first);
    for (let n = 2; n <= 80; n++) await broker.publish('t', String(n), {});
    await receiver.reader.caughtUp();
    const again = (offset: number) => ({ epoch, offset, suppressed: 'duplicate' });
    expect(await broker.publish('t', '1', first)).toEqual(again(2));
    expect(await receiver.broker.publish('t', '1', first)).toEqual(again(2));
    expect(await other.broker.publish('t', '1', first)).toEqual(again(0));
  });
});

nats('NATS readers that come and go', () => {
  it('10,000 subscribes and unsubscribes in a second cost a bounded number of NATS subscriptions', async () => {
    const server = await startServer();
    const { broker } = await open({ url: server.url });
    const topics = Array.from({ length: 2_000 }, (_, i) => `t/${String(i)}`);
    const asked: Promise<void>[] = [];
    for (let i = 0; i < 10_000; i++) {
      const topic = topics[(i * 7) % topics.length] ?? '';
      asked.push(broker.subscribe(topic));
      void broker.unsubscribe(topic);
      if (i % 100 === 99) await sleep(10);
    }
    await Promise.all(asked);
    await until('nothing stays', () => broker.subscribedTopics === 0, 6_000);
    expect(broker.lossesTotal).toBe(0);
  });
});
