import { expect, it, onTestFinished } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/index.js';
import { startNatsCluster } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';
import { BrokerReader, judge } from './support/broker-reader.js';
import { SteadyPublisher } from './support/steady-publisher.js';
import { sleep, until } from './support/waiting.js';

const topics = ['a', 'b', 'c'];
const stream = { replicas: 3, messagesPerTopic: 20_000 };

describeWith(natsServer)('A cluster of NATS servers', () => {
  it('[L-4.5] nothing is lost when the leader of the stream is repeatedly killed and restarted', async () => {
    const servers = await startNatsCluster();
    onTestFinished(async () => void (await Promise.all(servers.map((server) => server.remove()))));
    const url = servers.map((server) => server.url);
    const said: string[] = [];
    const open = (): NatsBroker => {
      const onError = (doing: string, error: unknown): number => said.push(`${doing}: ${String(error)}`);
      const broker = new NatsBroker({ url, stream, onError, dangerouslyAllowUnsafeReplicas: true });
      onTestFinished(() => broker.close());
      return broker;
    };
    const [sending, reading] = [open(), open()];
    const reader = new BrokerReader(reading);
    sending.start({ publication() {}, suspect() {}, availability() {}, signal() {} });
    await until(`both are available: ${said.join()}`, () => sending.available && reading.available, 20_000);
    for (const topic of topics) await reader.follow(topic);
    const publisher = new SteadyPublisher(sending, topics);
    for (let i = 0; i < 2; i++) {
      await sleep(1_000);
      const before = publisher.acknowledged.length;
      const leader = await servers[i]?.withManager(
        async (jsm) => (await jsm.streams.info('LIVE')).cluster?.leader,
      );
      const victim = servers[Number(leader?.slice(1))];
      await victim?.stop('SIGKILL');
      await until('it goes on', () => publisher.acknowledged.length > before + 500, 20_000);
      await victim?.start();
      await sleep(3_000);
    }
    await until('both are back', () => sending.available && reading.available, 20_000);
    await sleep(500);
    await publisher.stop();
    await reader.caughtUp();
    const result = judge(publisher.acknowledged, reader);
    console.info(JSON.stringify(result), `refused ${String(publisher.refused)}`);
    expect(result).toMatchObject({ silent: 0, reported: 0, disorder: 0, taken: result.acknowledged });
  }, 120_000);
});
