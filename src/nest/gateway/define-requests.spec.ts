import 'reflect-metadata';
import { SubscribeMessage } from '@nestjs/websockets';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { defineRequests } from './define-requests.js';
import { handlersOf } from './gateway-metadata.js';
import { LiveHandlers } from './live-handlers.decorator.js';
import { LiveRequest, requestOptionsOf } from './live-request.decorator.js';

const data = z.string();

@LiveHandlers()
class Trips {
  static readonly requests = defineRequests({
    'trip.list': 'list',
    'trip.book': { method: 'book', data },
    'trip.drop': 'drop',
  });
  list(): void {}
  book(): void {}
  @LiveRequest('trip.drop', { answer: data })
  drop(): void {}
}

describe('The requests of a class with handlers', () => {
  it('each named method handles its message type, with its schemas', () => {
    expect(handlersOf(Trips).toSorted()).toEqual([
      ['book', 'trip.book'],
      ['drop', 'trip.drop'],
      ['list', 'trip.list'],
    ]);
    expect(['list', 'book', 'drop'].map((method) => requestOptionsOf(Trips, method))).toEqual([
      {},
      { data },
      { answer: data },
    ]);
  });

  it('a method that the class lacks is an error that names it', () => {
    class Wrong {
      static readonly requests: Readonly<Record<string, string>> = { 'trip.list': 'toString2' };
    }
    expect(() => LiveHandlers()(Wrong as never)).toThrow(
      "@LiveHandlers: requests of Wrong says that 'toString2' handles 'trip.list', but Wrong has no such method.",
    );
  });

  it('a method that handles another message type is an error that names both', () => {
    class Twice {
      static readonly requests = defineRequests({ 'trip.list': 'list' });
      @SubscribeMessage('trip.all')
      list(): void {}
    }
    expect(() => LiveHandlers()(Twice)).toThrow(
      "requests of Twice says that 'list' handles 'trip.list', but 'list' handles 'trip.all'.",
    );
  });
});
