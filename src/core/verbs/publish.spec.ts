import { describe, expect, it } from 'vitest';
import type { Publication } from '../ports/broker.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { TestLive, type TestPeer } from '../../testing/test-live.js';
import type { VerbName } from './verbs.js';

/**
 * What a client's message is published as. `change` stands for a pipe or an interceptor of the
 * application.
 */
async function publishedFrom(
  text: string,
  change?: (message: Record<string, unknown>, peer: TestPeer) => object,
) {
  const data: string[] = [];
  const world: TestLive = new TestLive({
    ...(change && {
      handlers: (type) => (connection, message) => {
        const verb = world.live.verbs[type as VerbName];
        return verb(
          connection,
          type === 'publish' ? (change({ ...message }, peer) as InboundMessage) : message,
        );
      },
    }),
    broker: (memory) => {
      const { start } = memory;
      memory.start = (sink) => {
        start.call(memory, {
          ...sink,
          publication: (topic: string, epoch: string, publication: Publication) => {
            data.push(publication.data);
            sink.publication(topic, epoch, publication);
          },
        });
      };
      return memory;
    },
  });
  const reader = world.connect();
  await reader.send({ type: 'subscribe', topic: 'a' });
  const peer: TestPeer = world.connect();
  await peer.send(text);
  return { data, answer: peer.received()[0] };
}

const message = (data: string): string => `{"type":"publish","id":1,"topic":"a","data":${data}}`;

describe('publish', () => {
  it.each([
    '1e400',
    '-0',
    '9007199254740993',
    '1E20',
    '0.10',
    '{ "a" : [1,\n 2] }',
    '"\\u0041\\/"',
    '{"a":1,"a":2}',
    '{"__proto__":{"b":1}}',
    'null',
  ])('[L-4.10] a client publishes %s unchanged', async (written) => {
    const { data, answer } = await publishedFrom(message(written));
    expect([data, answer]).toEqual([[written], expect.objectContaining({ type: 'published', id: 1 })]);
  });

  it('[L-4.10] of two fields "data" the last one is published, however its name is escaped', async () => {
    const { data } = await publishedFrom('{"type":"publish","topic":"a","data":1,"d\\u0061ta":2.0}');
    expect(data).toEqual(['2.0']);
  });

  it.each(['"x\\",\\"data":1', '"x":{"data":1}', '"x":",\\"data\\":1"', '"data ":1', '"x":[{"data":1}]'])(
    '[L-4.10] the field data is published, not another place that looks like it: %s',
    async (other) => {
      const { data } = await publishedFrom(`{"type":"publish","topic":"a","data":1.0,${other}}`);
      expect(data).toEqual(['1.0']);
    },
  );

  it('[L-4.10] data in the middle of a message with blanks is published unchanged', async () => {
    const { data } = await publishedFrom('{"type":"publish","data":1.0 , "topic":"a" } \n');
    expect(data).toEqual(['1.0']);
  });

  it('[L-4.10] the data of a publish is unchanged even if its peer has left before a guard allows it', async () => {
    const { data } = await publishedFrom(message('1.0'), (copy, peer) => {
      peer.session.finished(1006, '');
      return copy;
    });
    expect(data).toEqual(['1.0']);
  });

  it('[L-4.10] data that the application copies on the way is published unchanged', async () => {
    const { data } = await publishedFrom(message('{"n":1e400, "m":1.0}'), (copy) => ({
      ...copy,
      data: { ...(copy['data'] as object) },
    }));
    expect(data).toEqual(['{"n":1e400, "m":1.0}']);
  });

  it('[L-4.10] data that the application modifies, even in place, is published as modified', async () => {
    const { data } = await publishedFrom(message('{"n":1.0, "secret":1}'), (copy) => {
      delete (copy['data'] as Record<string, unknown>)['secret'];
      return copy;
    });
    expect(data).toEqual(['{"n":1}']);
  });

  it('data that the application makes unserializable is refused', async () => {
    const { data, answer } = await publishedFrom(message('1'), (copy) => ({ ...copy, data: () => 1 }));
    expect([data, answer]).toEqual([[], expect.objectContaining({ code: 'validation-failed' })]);
  });
});
