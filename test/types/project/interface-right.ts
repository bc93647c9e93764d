import type { LiveService, TopicsOf } from 'nestjs-live';
import { collection, type LiveClient, state } from 'nestjs-live/client';
import type { ChatTopic, FleetTopic, LightTopic, ScoreTopic } from './topics.js';

/** The form of a topic map that costs the compiler least. */
export interface AppTopics extends TopicsOf<
  typeof FleetTopic | typeof ChatTopic | typeof ScoreTopic | typeof LightTopic
> {
  readonly $user: { readonly unread: number };
}

declare const live: LiveService<AppTopics>;
declare const client: LiveClient<AppTopics>;
declare const fleetId: number;
const at = new Date();

export const rights: unknown[] = [
  live.publish('fleet/7', { lat: 1, at }),
  live.publish(`fleet/${fleetId}`, { lat: 1, at, speed: 2 }, { key: 'v1', version: 3 }),
  live.publish('fleet/7', undefined, { key: 'v1', remove: true }),
  live.publish('scores', { team: 'a', goals: 1 }, { key: 'home' }),
  live.publish('lights', true, { key: 'north' }),
  live.publishMany([
    { topic: 'lights', data: true, key: 'north' },
    { topic: 'fleet/7', data: { lat: 1, at } },
  ]),
  live.toUser('ann', { unread: 1 }),
  client.publish('chat/a/messages', { text: 'hi' }),
  client.publish('lights', true, { key: 'south' }),
  client.publish('lights', undefined, { key: 'south', remove: true }),
  client.subscribe('fleet/7', (message) => {
    if (message.type === 'event' && !message.removed) message.data.at.toUpperCase();
  }),
  client.subscribe('fleet/7', (message) => {
    if (message.type === 'start') message.snapshot?.['v1']?.lat.toFixed(1);
  }),
  client.subscribe('lights', (message) => {
    if (message.type === 'event') message.key satisfies 'north' | 'south';
  }),
  client.subscribe('$user', (message) => {
    if (message.type === 'event' && !message.removed) message.data.unread.toFixed(0);
  }),
  collection(client, 'lights').get('north') satisfies boolean | undefined,
  state(client, 'lights', { initial: '', apply: (_, { key = 'north' }) => key satisfies 'north' | 'south' }),
];
