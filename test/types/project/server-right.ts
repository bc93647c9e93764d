import { JsonText, type LiveService, topic } from 'nestjs-live';
import { type AppTopics, ChatTopic, FleetTopic, ScoreDto } from './topics.js';

declare const live: LiveService<AppTopics>;
declare const anything: LiveService;
const at = new Date();
const fleetId: number = 7;

export const rights: unknown[] = [
  live.publish('fleet/7', { lat: 1, at }),
  live.publish('fleet/7', { lat: 1, at, speed: 2 }, { key: 'v1', version: 3 }),
  live.publish(`fleet/${fleetId}`, { lat: 1, at }),
  live.publish(FleetTopic.topic.name({ fleetId }), { lat: 1, at }),
  live.publish(topic('fleet/:fleetId', { fleetId }), { lat: 1, at }),
  live.publish(topic('fleet/7'), { lat: 1, at }),
  live.publish(topic('scores'), { team: 'a', goals: 1 }),
  live.publish(ChatTopic.topic.name({ room: 'a' }), { text: 'a', by: 'b' }),
  live.publish('fleet/7', JsonText.parse('{}')),
  live.publish('fleet/7', undefined, { key: 'v1', remove: true }),
  live.publish('scores', { team: 'a', goals: 1 }),
  live.publish('scores', new ScoreDto()),
  live.publish('scores', { team: 'a', goals: 1 }, { key: 'home', idempotencyKey: 'a' }),
  live.publish('lights', true, { key: 'north' }),
  live.publish('lights', undefined, { key: 'south', remove: true, version: 1 }),
  live.publishMany([{ topic: 'lights', data: true, key: 'north' }]),
  live.publishMany([
    { topic: 'fleet/7', data: { lat: 1, at }, key: 'v1' },
    { topic: 'scores', data: { team: 'a', goals: 1 } },
    { topic: 'fleet/7', data: undefined, key: 'v1', remove: true },
  ]),
  live.toUser('ann', { unread: 1 }),
  anything.publish('any/topic', { any: 'data' }),
  anything.publishMany([{ topic: 'any/topic', data: 1 }]),
  anything.toUser('ann', 1),
];
