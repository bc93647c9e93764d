import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, it } from 'vitest';
import { NatsBroker } from '../../src/brokers/nats/nats-broker.js';
import type { NatsBrokerOptions } from '../../src/brokers/nats/nats-broker.options.js';
import { eachBrokerCheck } from '../../src/testing/each-broker-check.js';
import type { OpenedBroker } from '../../src/testing/broker-checks/opened-broker.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';

let server: NatsServer;
let count = 0;

/** A separate stream for each check, on one server. */
function open(options: NatsBrokerOptions = {}): OpenedBroker {
  const name = `CHECK-${String(++count)}`;
  const brokers: NatsBroker[] = [];
  const make = (): NatsBroker => {
    const broker = new NatsBroker({
      url: server.url,
      ...options,
      stream: { name, ...options.stream },
    });
    brokers.push(broker);
    return broker;
  };
  return {
    broker: make(),
    another: make,
    loseStreams: async () => void (await server.withManager((jsm) => jsm.streams.delete(name))),
    restart: async (whileStopped) => {
      await server.stop('SIGKILL');
      await whileStopped();
      await server.start();
    },
    junk: (topic) => junk(name, topic),
    junkTotal: () => brokers.reduce((sum, { junkTotal }) => sum + junkTotal, 0),
    close: async () => void (await server.withManager((jsm) => jsm.streams.delete(name)).catch(() => {})),
  };
}

/** Writes invalid bytes to all subjects of a topic, including the stored one. */
async function junk(name: string, topic: string): Promise<void> {
  await server.withManager(async (jsm) => {
    const [stored = ''] = (await jsm.streams.info(name)).config.subjects;
    const connection = jsm.jetstream();
    const texts = ['', '\0', '{}\n', '{"v":1}', '1', `{"v":1,"e":"x","o":1,"t":0,"r":[],"p":[[5,1]]}\nabc`];
    for (const text of texts) {
      await connection.publish(stored.replace('*', topic), text);
    }
  });
  const connection = await connect({ servers: server.url });
  for (const subject of [`live.@${name}.out.${topic}`, `live.@${name}.signal`]) {
    for (const text of ['', '\r\n', '{"v":2,"e":"x","o":1,"t":0,"r":[],"p":[]}\n'])
      connection.publish(subject, text);
  }
  await connection.flush();
  await connection.close();
}

describeWith(natsServer)('NatsBroker keeps the contract of the broker port', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server.remove());

  eachBrokerCheck((title, run) => it(title, { timeout: 60_000 }, run), { open: () => open() });
});
