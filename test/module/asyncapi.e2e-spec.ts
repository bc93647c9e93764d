import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { type } from 'arktype';
import { IsInt, IsOptional, IsString } from 'class-validator';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type AsyncApiDocument,
  LiveAsyncApi,
  LiveAsyncApiModule,
  type LiveAsyncApiOptions,
} from '../../src/nest/asyncapi/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { startLiveApp } from '../support/live-app.js';
import {
  JwtConnectionGuard,
  LiveHandlers,
  LiveMessageDto,
  LiveModule,
  LiveRequest,
  LiveTopic,
} from '../../src/index.js';

const Position = z.object({ lat: z.number(), lon: z.number() }).describe('Where a vehicle is');

@LiveTopic('fleet/:fleetId', {
  data: Position,
  snapshot: 'last-per-key',
  key: z.string().regex(/^v\d+$/),
  params: z.object({ fleetId: z.enum(['7', '8']).describe('The fleet') }),
})
class FleetTopic {
  canSubscribe(): boolean {
    return true;
  }
}

@LiveTopic('chat/:room', {
  data: v.object({ text: v.string(), at: v.number() }),
  clientPublish: v.pipe(
    v.object({ text: v.pipe(v.string(), v.maxLength(500)) }),
    v.transform(({ text }) => ({ text, at: 0 })),
  ),
  key: v.optional(v.picklist(['pinned', 'plain'])),
})
class ChatTopic {
  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }
}

@LiveTopic('votes/**', { data: type({ yes: 'number', no: 'number' }), snapshot: type({ open: 'boolean' }) })
class VotesTopic {
  canSubscribe(): boolean {
    return true;
  }

  snapshot(): unknown {
    return { open: true };
  }
}

class JobDto {
  @IsString()
  readonly name!: string;

  @IsInt()
  @IsOptional()
  readonly percent?: number;
}

@LiveTopic('jobs/*', { data: JobDto })
class JobsTopic {
  canSubscribe(): boolean {
    return true;
  }
}

class RenameDto extends LiveMessageDto {
  @IsString()
  readonly name!: string;
}

@LiveHandlers()
class Own {
  @SubscribeMessage('rename')
  rename(@MessageBody() { name }: RenameDto): string {
    return name;
  }

  @SubscribeMessage('count')
  count(): number {
    return 1;
  }

  @LiveRequest('trip.book', {
    data: z.object({ seat: z.int() }),
    answer: z.object({ ticket: z.string() }),
  })
  book() {
    return { ticket: 'a1' };
  }

  @LiveRequest('trip.find', { data: z.object({ city: z.string() }).optional(), answer: z.array(z.string()) })
  find(): string[] {
    return [];
  }

  @LiveRequest('trip.own', { answer: z.object({ type: z.literal('trip.owned'), at: z.number() }) })
  own() {
    return { type: 'trip.owned' as const, at: 1 };
  }
}

const info = { title: 'Fleet & friends', version: '1.0.0' };

const topics = [FleetTopic, ChatTopic, VotesTopic, JobsTopic];

async function contractOf(
  options: Partial<LiveAsyncApiOptions> = {},
  providers: Type[] = [...topics, Own],
): Promise<LiveAsyncApi> {
  const { app } = await startLiveApp({
    providers,
    imports: [LiveAsyncApiModule.forRoot({ info, ...options })],
  });
  return app.get(LiveAsyncApi);
}

/** Whether the payload of a message of the document accepts a value. */
function accepts(document: AsyncApiDocument, name: string, value: unknown): boolean {
  const { components } = document as unknown as {
    readonly components: { readonly messages: Record<string, { readonly payload: object }> };
  };
  return z.fromJSONSchema(components.messages[name]?.payload as never).safeParse(value).success;
}

const vehicle = { lat: 1, lon: 2 };

describe('The AsyncAPI document', () => {
  it('topics, handlers, errors, close codes and security are those that the application declares', async () => {
    const module = await Test.createTestingModule({
      imports: [
        LiveModule.forRoot({ port: 0, guards: [JwtConnectionGuard], jwt: { secret: 's'.repeat(32) } }),
        LiveAsyncApiModule.forRoot({ info, url: 'wss://live.example.com/live' }),
      ],
      providers: [...topics, Own],
    }).compile();
    const document = await module.get(LiveAsyncApi).document();
    await expect(`${JSON.stringify(document, undefined, 2)}\n`).toMatchFileSnapshot('./asyncapi.json');
  });

  it('messages on the wire match the schemas of the document, and wrong ones do not', async () => {
    const { app, url, live } = await startLiveApp({
      providers: [...topics, Own],
      imports: [LiveAsyncApiModule.forRoot({ info })],
    });
    const document = await app.get(LiveAsyncApi).document();
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const seen: [string, unknown][] = [['welcome', await client.next()]];
    const ask = async (name: string, request: object): Promise<void> => {
      seen.push([name, await client.request(request as never)]);
    };
    await ask('fleet._fleetId.subscribed', { type: 'subscribe', id: 1, topic: 'fleet/7' });
    await live.publish('fleet/7', vehicle, { key: 'v1' });
    seen.push(['fleet._fleetId.event', await client.next()]);
    await ask('votes.-rest.subscribed', { type: 'subscribe', id: 'a', topic: 'votes/x' });
    await ask('error', { type: 'subscribe', id: 2, topic: 'fleet/9' });
    await ask('published', { type: 'publish', id: 3, topic: 'chat/a', data: { text: 'hi' } });
    await ask('pong', { type: 'ping', id: 4 });
    await ask('answer.trip.book', { type: 'trip.book', id: 6, data: { seat: 1 } });
    await ask('answer.trip.own', { type: 'trip.own', id: 7 });
    await ask('answer.count', { type: 'count', id: 8 });
    await ask('error', { type: 'trip.book', id: 9, data: {} });
    await ask('unsubscribed', { type: 'unsubscribe', id: 5, topic: 'fleet/7' });
    for (const [name, message] of seen)
      expect([name, message, accepts(document, name, message)]).toEqual([name, message, true]);
    const event = { type: 'event', topic: 'fleet/7', offset: 1, key: 'v1' };
    expect(accepts(document, 'fleet._fleetId.event', { ...event, data: vehicle })).toBe(true);
    expect(accepts(document, 'fleet._fleetId.event', { ...event, data: { lat: 'x', lon: 2 } })).toBe(false);
    expect(accepts(document, 'fleet._fleetId.event', { ...event, key: 'x1', data: vehicle })).toBe(false);
    expect(accepts(document, 'fleet._fleetId.event', { ...event, key: undefined, data: vehicle })).toBe(
      false,
    );
    const message = { type: 'publish', topic: 'chat/a', data: { text: 'hi' } };
    expect(accepts(document, 'chat._room.publish', message)).toBe(true);
    expect(accepts(document, 'chat._room.publish', { ...message, key: 'plain' })).toBe(true);
    expect(accepts(document, 'chat._room.publish', { ...message, key: 'odd' })).toBe(false);
    expect(accepts(document, 'own.rename', { type: 'rename', name: 'x' })).toBe(true);
    expect(accepts(document, 'own.rename', { type: 'rename', name: 1 })).toBe(false);
    const booking = { type: 'trip.book', id: 1 };
    expect(accepts(document, 'own.trip.book', { ...booking, data: { seat: 1 } })).toBe(true);
    expect(accepts(document, 'own.trip.book', { ...booking, data: { seat: 'x' } })).toBe(false);
    expect(accepts(document, 'own.trip.book', booking)).toBe(false);
    const search = { type: 'trip.find', id: 1 };
    expect(accepts(document, 'own.trip.find', search)).toBe(true);
    expect(accepts(document, 'own.trip.find', { ...search, data: { city: 1 } })).toBe(false);
    expect(accepts(document, 'answer.trip.book', { ...booking, data: { ticket: 1 } })).toBe(false);
    expect(accepts(document, 'answer.trip.own', { type: 'trip.own', at: 1 })).toBe(false);
  });

  it('a schema that refers to itself becomes a named schema of the document', async () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree);
      },
    });
    @LiveTopic('trees/:id', { data: Tree })
    class Trees {
      canSubscribe(): boolean {
        return true;
      }
    }
    const { components } = (await (await contractOf({}, [Trees])).document()) as unknown as {
      readonly components: { readonly messages: Record<string, unknown>; readonly schemas: object };
    };
    const names = Object.keys(components.schemas);
    expect(names).toEqual(['trees._id.data']);
    expect(JSON.stringify(components)).not.toContain('"$ref":"#"');
    expect(JSON.stringify(components.schemas)).toContain('"$ref":"#/components/schemas/trees._id.data"');
  });

  it('the page shows every topic and message type, and no markup of a declaration', async () => {
    const page = await (
      await contractOf({ info: { ...info, description: '<script>alert(1)</script>' } })
    ).page();
    expect(page).toContain('<h1>Fleet &amp; friends 1.0.0</h1>');
    for (const shown of ['fleet/:fleetId', 'chat/:room', 'votes/**', 'jobs/*', 'own.rename'])
      expect(page).toContain(`<code>${shown}</code>`);
    expect(page).not.toContain('<script');
  });

  it("the document of a client sends what the server's receives, and is otherwise the same", async () => {
    const contract = await contractOf();
    const actionsOf = (document: AsyncApiDocument): Record<string, string> =>
      Object.fromEntries(
        Object.entries(document['operations'] as Record<string, { readonly action: string }>).map(
          ([id, { action }]) => [id, action],
        ),
      );
    const [server, client] = [await contract.document(), await contract.document('client')];
    expect(client).toEqual({ ...server, asyncapi: '3.0.0', operations: expect.anything() as unknown });
    expect(actionsOf(server)).toMatchObject({
      'fleet._fleetId.follow': 'receive',
      'fleet._fleetId.deliver': 'send',
      'own.rename': 'receive',
    });
    expect(actionsOf(client)).toMatchObject({
      'fleet._fleetId.follow': 'send',
      'fleet._fleetId.deliver': 'receive',
      'own.rename': 'send',
    });
  });

  it('the page shows the fields of each message with their types and meanings', async () => {
    const Stop = z.object({ name: z.string().describe('Its <name>'), at: z.number().optional() });
    @LiveTopic('lines/:id', { data: z.object({ stops: z.array(Stop), state: z.enum(['on', 'off']) }) })
    class Lines {
      canSubscribe(): boolean {
        return true;
      }
    }
    const page = await (await contractOf({}, [Lines])).page();
    const cells = [
      ...page.matchAll(/<tr><td><code>(.*?)<\/code><\/td><td><code>(.*?)<\/code><\/td><td>(.*?)<\/td>/g),
    ]
      .map(([, ...texts]) => texts.join(' '))
      .filter((row) => row.startsWith('data?.'));
    expect(cells).toEqual([
      'data?.stops array ',
      'data?.stops[] object ',
      'data?.stops[].name string Its &lt;name&gt;',
      'data?.stops[].at? number ',
      'data?.state &quot;on&quot; | &quot;off&quot; ',
    ]);
  });

  it('a schema that its library cannot describe is an error that names the topic', async () => {
    const plain = {
      '~standard': { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) },
    } as const;
    @LiveTopic('mine/:id', { data: plain })
    class Mine {
      canSubscribe(): boolean {
        return true;
      }
    }
    await expect((await contractOf({}, [Mine])).document()).rejects.toThrow(
      'LiveAsyncApi: data of Mine cannot be described as JSON Schema: mine has no JSON Schema converter.',
    );
  });

  it.each([
    [{ info: { title: 'x' } }, 'LiveAsyncApi: info.version is missing.'],
    [{}, 'LiveAsyncApi: info.title is missing.'],
  ])('options without a title or a version stop the start: %j', async (options, words) => {
    const imports = [LiveAsyncApiModule.forRoot(options as LiveAsyncApiOptions)];
    await expect(startLiveApp({ providers: [], imports })).rejects.toThrow(words);
  });

  it('a url that is none of a WebSocket is an error that shows one', async () => {
    await expect((await contractOf({ url: 'http://x' })).document()).rejects.toThrow(
      'LiveAsyncApi: url is "http://x". Write where clients connect, such as \'wss://live.example.com/live\'.',
    );
  });
});
