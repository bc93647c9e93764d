import { randomBytes } from 'node:crypto';
import { it } from 'vitest';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { eachBrokerCheck } from '../../src/testing/index.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';

const redis = describeWith(redisServer);

redis('RedisBroker keeps the contract of the broker port', () => {
  eachBrokerCheck(it, {
    async open() {
      const server = await RedisServer.start({ args: ['--appendonly', 'yes'] });
      const brokers: RedisBroker[] = [];
      const another = (): RedisBroker => {
        const broker = new RedisBroker({ url: server.url });
        brokers.push(broker);
        return broker;
      };
      return {
        broker: another(),
        another,
        async loseStreams() {
          await server.run('FLUSHALL');
        },
        async restart(whileStopped) {
          await server.stop('SIGKILL');
          await whileStopped();
          await server.start();
        },
        async junk(topic) {
          const texts = ['', 'hello', '1 e 9 - {', `1 ${'e'.repeat(99)} 1 - 1`, 'x'.repeat(2_000_000)];
          const client = await server.admin();
          for (const channel of [`live:{${topic}}`, 'live:signals'])
            for (const text of [...texts, randomBytes(100)]) await client.publish(channel, text);
          client.destroy();
        },
        junkTotal: () => brokers.reduce((sum, { junkTotal }) => sum + junkTotal, 0),
        close: () => {},
      };
    },
  });
});
