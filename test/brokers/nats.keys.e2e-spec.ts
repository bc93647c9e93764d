import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/nats-broker.js';
import { type LatestRule, removalData, silentSink } from '../../src/core/ports/broker.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';
import { until } from './support/waiting.js';

let server: NatsServer;
const messagesPerTopic = 64;

/** Another instance on the stream with this name. */
async function instance(name: string) {
  const broker = new NatsBroker({
    url: server.url,
    stream: { name, messagesPerTopic, maxBytes: 16_777_216 },
  });
  onTestFinished(() => broker.close());
  broker.start(silentSink);
  await until('the broker is available', () => broker.available, 10_000);
  const put = async (key: string, version: number, latest?: LatestRule, remove?: true) => {
    const options = { key, version, ...(latest && { latest }), ...(remove && { remove }) };
    return (await broker.publish('t', remove ? removalData : '1', options)).suppressed ?? 'stored';
  };
  return { broker, put };
}

describeWith(natsServer)('Keys of a topic in NATS', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server.remove());

  it.each([undefined, 'last', 'last-per-key'] as const)(
    'a new instance knows versions from before the messages that a topic keeps, with snapshot %s',
    { timeout: 60_000 },
    async (latest) => {
      const name = `KEYS-${String(latest)}`;
      const { put } = await instance(name);
      await put('gone', 5, latest);
      await put('gone', 7, latest, true);
      for (let n = 1; n <= 3 * messagesPerTopic; n++) await put(`k${String(n % 5)}`, n, latest);
      const later = await instance(name);
      expect(await later.put('gone', 6, latest)).toBe('stale');
      expect(await later.put('k1', 1, latest)).toBe('stale');
      expect(await later.put('gone', 8, latest)).toBe('stored');
      expect(await put('gone', 8, latest)).toBe('stale');
    },
  );

  it("instances that publish in turns compare versions with each other's publications", async () => {
    const [one, two] = [await instance('TURNS'), await instance('TURNS')];
    const answers = [];
    for (let n = 1; n <= 6; n++) {
      answers.push(await (n % 2 ? one : two).put('a', n));
      answers.push(await (n % 2 ? two : one).put('a', n));
    }
    expect(answers).toEqual(Array.from({ length: 6 }, () => ['stored', 'stale']).flat());
  });

  it('a key whose time is in the base ages like any other key', { timeout: 60_000 }, async () => {
    const { broker, put } = await instance('AGES');
    await put('old', 1, 'last-per-key');
    await new Promise((resolve) => {
      setTimeout(resolve, 1_500);
    });
    for (let n = 1; n <= 3 * messagesPerTopic; n++) await put('new', n, 'last-per-key');
    const keys = async (maxKeyAgeMs?: number) =>
      (await broker.latest('t', maxKeyAgeMs)).publications.map(({ key }) => key).toSorted();
    expect([await keys(1_000), await keys()]).toEqual([['new'], ['new', 'old']]);
  });
});
