import assert from 'node:assert/strict';
import { isTopicName } from '../../protocol/topic-name.js';
import type { BrokerCheck } from './check.js';

/** The server's own name for the personal topic of a user, which every broker must carry. */
const personal = `$user/${'aZ0-_'.repeat(9).slice(0, 43)}`;

/** Names that an engine might confuse with each other or with its own syntax. */
const names: readonly string[] = [
  '',
  ' ',
  'a b',
  ...'a A a.b a/b a-b a_b a~b a%2Fb a%2fb a=2Fb a:b a/b/ /a/b a//b . .. ... / ~ % - -- " \' +OK'.split(' '),
  ...'* > a.* a.> a/* ? [a] {a} {a}b a{b} $SYS $SYS.REQ.SERVER.PING $JS.API.INFO $KV _INBOX.a'.split(' '),
  ...'$system __proto__ constructor ü u\u0308 Ü 🚋 \ud83d \ude8b \u2028 \t \0 a\0b \r\n'.split(' '),
  'a\r\nPUB b 1\r\n',
  '*1\r\n$4\r\nPING',
  'x'.repeat(128),
  `${'x'.repeat(127)}y`,
  'ü'.repeat(128),
  `${'a/'.repeat(63)}ab`,
  personal,
];

/** Topic names never collide with each other or with the engine's own names. */
export const topicNameChecks: readonly BrokerCheck[] = [
  {
    title: 'every topic name works, and none is taken for another name, a pattern or a command',
    async run(world) {
      const [one, two] = await world.startTwo();
      const carried: string[] = [];
      for (const name of names) {
        try {
          await one.broker.subscribe(name);
          await two.broker.publish(name, JSON.stringify(name), {});
          carried.push(name);
        } catch (error) {
          // An engine may refuse an invalid topic name, provided that it does refuse.
          if (isTopicName(name) || name === personal) throw error;
        }
      }
      const last = await two.broker.publish('last', '1', {});
      await one.broker.subscribe('last');
      assert.equal(last.offset, 1);
      await world.patience.until('each name has arrived', () =>
        carried.every((name) => one.of(name).length > 0),
      );
      for (const name of names) {
        const expected = carried.includes(name) ? [[1, JSON.stringify(name)]] : [];
        assert.deepEqual(
          one.of(name).map(({ offset, data }) => [offset, data]),
          expected,
          JSON.stringify(name),
        );
      }
      const tops = await two.broker.tops(carried);
      for (const name of carried) assert.equal(tops.get(name)?.offset, 1, JSON.stringify(name));
    },
  },
];
