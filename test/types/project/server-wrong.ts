import {
  defineRequests,
  defineTopic,
  LiveHandlers,
  LiveRequest,
  LiveTopic,
  type RequestMessage,
  type LiveService,
  topic,
} from 'nestjs-live';
import { MessageBody } from '@nestjs/websockets';
import { z } from 'zod';
import { type AppTopics, FleetTopic } from './topics.js';

declare const live: LiveService<AppTopics>;
const at = new Date();

export const wrongs: unknown[] = [
  // mistake: data of another type
  live.publish('fleet/7', { lat: '1', at }),
  // mistake: data of another type beside options
  live.publish('fleet/7', { lat: '1', at }, { key: 'v1' }),
  // mistake: data without a field
  live.publish('fleet/7', { at }),
  // mistake: a topic that nobody declares
  live.publish('fleets/7', { lat: 1, at }),
  // mistake: data of another topic
  live.publish('scores', { lat: 1, at }),
  // mistake: a removal with data
  live.publish('fleet/7', { lat: 1, at }, { key: 'v1', remove: true }),
  // mistake: a key of another type
  live.publish('fleet/7', { lat: 1, at }, { key: 7 }),
  // mistake: a key that the topic does not have
  live.publish('scores', { team: 'a', goals: 1 }, { key: 'left' }),
  // mistake: a key of another form
  live.publish('fleet/7', { lat: 1, at }, { key: 'seven', version: 1 }),
  // mistake: a publication without its key
  live.publish('lights', true),
  // mistake: options without the key
  live.publish('lights', true, { version: 1 }),
  // mistake: a removal of a key that the topic does not have
  live.publish('lights', undefined, { key: 'west', remove: true }),
  // mistake: a removal without its key
  live.publish('fleet/7', undefined, { remove: true }),
  // mistake: a removal without its key, beside another option
  live.publish('fleet/7', undefined, { version: 1, remove: true }),
  // mistake: a removal for one user without its key
  live.toUser('ann', undefined, { remove: true }),
  // mistake: one of many publications with a key that the topic does not have
  live.publishMany([{ topic: 'lights', data: true, key: 'west' }]),
  // mistake: one of many publications without its key
  live.publishMany([{ topic: 'lights', data: true }]),
  // mistake: one of many removals without its key
  live.publishMany([{ topic: 'fleet/7', data: undefined, remove: true }]),
  // mistake: one of many publications with wrong data
  live.publishMany([{ topic: 'fleet/7', data: { lat: '1', at } }]),
  // mistake: wrong data to one user
  live.toUser('ann', { unread: '1' }),
  // mistake: a name without its parameter
  FleetTopic.topic.name({}),
  // mistake: a name with another parameter
  FleetTopic.topic.name({ id: 7 }),
  // mistake: a pattern without its parameters
  topic('fleet/:fleetId'),
  // mistake: a pattern with another parameter
  topic('fleet/:fleetId', { id: 7 }),
  // mistake: a built name of no declared topic
  live.publish(topic('fleets/:fleetId', { fleetId: 7 }), { lat: 1, at }),
  // mistake: wrong data for a built name
  live.publish(topic('fleet/7'), { lat: '1', at }),
];

const counter = defineTopic('counters/:id', {
  data: z.number(),
  snapshot: z.object({ count: z.number() }),
  params: z.object({ id: z.coerce.number<string>() }),
});

// mistake: a schema of keys that are no strings
export const numbers = defineTopic('numbers', { key: z.number() });

// mistake: another snapshot than the schema's
@LiveTopic()
export class WrongSnapshot {
  static readonly topic = counter;
  canSubscribe(): boolean {
    return true;
  }
  snapshot() {
    return { count: 'one' };
  }
}

// mistake: parameters of another type
@LiveTopic()
export class WrongParams {
  static readonly topic = counter;
  canSubscribe(_user: unknown, { id }: { id: string }): boolean {
    return id === '7';
  }
}

// mistake: no canSubscribe
@LiveTopic()
export class NoCheck {
  static readonly topic = counter;
}

// mistake: a class without its topic
@LiveTopic()
export class NoTopic {
  canSubscribe(): boolean {
    return true;
  }
}

// mistake: a request without a method
@LiveHandlers()
export class NoMethod {
  static readonly requests = defineRequests({ 'trip.book': 'reserve' });
  book(): void {}
}

const seat = z.object({ seat: z.number() });

@LiveHandlers()
export class WrongRequests {
  // mistake: a handler whose parameter is not the data
  @LiveRequest('seat.book', { data: seat })
  book(@MessageBody('data') _data: { seat: string }): void {}

  // mistake: a handler of another message
  @LiveRequest('seat.read', { data: seat })
  read(@MessageBody() _message: RequestMessage<string>): void {}

  // mistake: a handler that returns another answer
  @LiveRequest('seat.list', { answer: z.array(z.number()) })
  list(): string[] {
    return [];
  }

  // mistake: a handler that promises another answer
  @LiveRequest('seat.first', { data: seat, answer: seat })
  async first(@MessageBody('data') _data: { seat: number }) {
    return { seat: '1' };
  }
}
