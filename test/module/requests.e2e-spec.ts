import { inspect } from 'node:util';
import { ForbiddenException, UseGuards } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { type } from 'arktype';
import { IsInt } from 'class-validator';
import { of } from 'rxjs';
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  LiveHandlers,
  LiveModule,
  type LiveModuleOptions,
  LiveRequest,
  type LiveRequestOptions,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { createHost, failureOf } from './support/host-app.js';
import { BearerIsUser, platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';

const seat = z.object({ seat: z.coerce.number().int() });
const ticket = z.object({ ticket: z.string().transform((text) => text.toUpperCase()) });

class SeatDto {
  @IsInt()
  readonly seat!: number;
}

const never = {
  canActivate: (): boolean => {
    throw new ForbiddenException('Not you');
  },
};

@LiveHandlers()
class Trips {
  static readonly calls: unknown[] = [];

  @LiveRequest('trip.book', { data: seat, answer: ticket })
  book(@MessageBody() message: unknown): unknown {
    Trips.calls.push(message);
    const { data } = message as { data: { seat: number } };
    return data.seat === 13 ? { ticket: 13 } : { ticket: `seat ${String(data.seat)}` };
  }

  @LiveRequest('trip.seats', { data: SeatDto, answer: v.array(v.number()) })
  async seats(@MessageBody('data') data: SeatDto): Promise<unknown> {
    await Promise.resolve();
    return data instanceof SeatDto ? [data.seat] : 'no instance';
  }

  @LiveRequest('trip.watch', { answer: type({ at: 'number' }) })
  watch(): unknown {
    return of({ at: 1 }, { at: 2 }, { at: 'x' });
  }

  @LiveRequest('trip.own', { answer: z.object({ type: z.literal('trip.owned'), at: z.number() }) })
  own(): unknown {
    return { type: 'trip.owned', at: 1 };
  }

  @LiveRequest('trip.list')
  list(): unknown {
    return ['a'];
  }

  @LiveRequest('trip.closed', { data: seat })
  @UseGuards(never)
  closed(): unknown {
    return 'open';
  }
}

const internal = { code: 'internal', message: 'The server failed to handle this message' };

describe.each(platforms)('Requests with schemas, on %s', (_name, platform) => {
  afterEach(() => void (Trips.calls.length = 0));

  const start = async (options: LiveModuleOptions = {}, log = new LogRecorder()) => {
    const { url } = await startLiveApp({ platform, providers: [Trips], before: log.use, options });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    return client;
  };

  it("[L-2.13] a handler gets the schema's output, and its answer is the output of the other schema", async () => {
    const client = await start();
    expect(await client.request({ type: 'trip.book', id: 1, data: { seat: '7', x: 1 } })).toEqual({
      type: 'trip.book',
      id: 1,
      data: { ticket: 'SEAT 7' },
    });
    expect(Trips.calls).toEqual([{ type: 'trip.book', id: 1, data: { seat: 7 } }]);
  });

  it.each([
    ['trip.book', { seat: 'secret' }, '"data.seat"'],
    ['trip.book', undefined, '"data"'],
    ['trip.seats', { seat: 'secret' }, '"data.seat"'],
  ])('[L-2.13] wrong data of %s is refused with its path: %j', async (name, data, path) => {
    const client = await start();
    expect(await client.request({ type: name, id: 1, data })).toEqual({
      type: 'error',
      id: 1,
      code: 'validation-failed',
      message: `${path} does not match the request's schema`,
    });
    expect(Trips.calls).toEqual([]);
  });

  it('[L-2.13] a class of class-validator is a schema of requests', async () => {
    const client = await start();
    const answer = await client.request({ type: 'trip.seats', id: 1, data: { seat: 3 } });
    expect(answer).toEqual({ type: 'trip.seats', id: 1, data: [3] });
  });

  it('[L-2.11] a wrong answer is logged with its path, and the client gets internal', async () => {
    const log = new LogRecorder();
    const client = await start({}, log);
    const answer = await client.request({ type: 'trip.book', id: 1, data: { seat: 13 } });
    expect(answer).toEqual({ type: 'error', id: 1, ...internal });
    const logged = log.live('error').map((entry) => inspect(entry));
    expect(logged.join('\n')).toContain(
      'The answer of Trips.book: "answer.ticket" does not match the request\'s schema',
    );
  });

  it('[L-2.14] each value of an Observable is checked, and a wrong one ends the answers', async () => {
    const client = await start();
    client.send({ type: 'trip.watch', id: 1 });
    expect([await client.next(), await client.next()]).toEqual(
      [1, 2].map((at) => ({ type: 'trip.watch', id: 1, data: { at } })),
    );
    expect(await client.request({ type: 'ping', id: 2 })).toEqual({ type: 'pong', id: 2 });
  });

  it('[L-2.13] an answer with a type of its own is sent as it is, and no schema checks nothing', async () => {
    const client = await start();
    expect(await client.request({ type: 'trip.own', id: 1 })).toEqual({ type: 'trip.owned', id: 1, at: 1 });
    const list = await client.request({ type: 'trip.list', id: 2, data: 7 });
    expect(list).toEqual({ type: 'trip.list', id: 2, data: ['a'] });
  });

  it('a guard decides before the data is checked', async () => {
    const client = await start();
    const answer = await client.request({ type: 'trip.closed', id: 1, data: 'wrong' });
    expect(answer).toMatchObject({ code: 'forbidden' });
  });

  it('nothing is checked if validate is off', async () => {
    const client = await start({ validate: 'off' });
    const answer = await client.request({ type: 'trip.book', id: 1, data: { seat: 'x' } });
    expect(answer).toEqual({ type: 'trip.book', id: 1, data: { ticket: 'seat x' } });
  });

  it.each([
    ['a number as data', { data: 7 as never }, '"data of Wrong.handle" is the number 7. Write a Standard'],
    [
      'a class without rules',
      { answer: class Empty {} },
      '"answer of Wrong.handle" is Empty, a class without',
    ],
    ['an unknown mode', { validate: 'no' as 'off' }, '"validate of Wrong.handle"'],
  ])('%s stops the start', async (_what, options: LiveRequestOptions, words) => {
    @LiveHandlers()
    class Wrong {
      @LiveRequest('wrong', options)
      handle(): void {}
    }
    const live = LiveModule.forRoot({ guards: [BearerIsUser], port: 0 });
    const app = await createHost(platform, { imports: [live], providers: [BearerIsUser, Wrong] });
    expect(await failureOf(app.init())).toContain(words);
  });
});
