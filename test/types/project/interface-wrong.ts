import type { LiveService } from 'nestjs-live';
import { collection, type LiveClient } from 'nestjs-live/client';
import type { AppTopics } from './interface-right.js';

declare const live: LiveService<AppTopics>;
declare const client: LiveClient<AppTopics>;
const at = new Date();

export const wrongs: unknown[] = [
  // mistake: data of another type
  live.publish('fleet/7', { lat: '1', at }),
  // mistake: a topic that nobody declares
  live.publish('fleets/7', { lat: 1, at }),
  // mistake: data of another topic
  live.publish('scores', { lat: 1, at }),
  // mistake: a key that the topic does not have
  live.publish('lights', true, { key: 'west' }),
  // mistake: a publication without its key
  live.publish('lights', true),
  // mistake: a removal without its key
  live.publish('fleet/7', undefined, { remove: true }),
  // mistake: one of many publications without its key
  live.publishMany([{ topic: 'lights', data: true }]),
  // mistake: wrong data to one user
  live.toUser('ann', { unread: '1' }),
  // mistake: a topic that no client can subscribe to
  client.subscribe('fleet'),
  // mistake: a topic to which no client may publish
  client.publish('fleet/7', { lat: 1, at }),
  // mistake: a field that clients may not set
  client.publish('chat/a/messages', { text: 'hi', by: 'root' }),
  // mistake: a key that clients may not publish
  client.publish('lights', true, { key: 'west' }),
  // mistake: a key that the collection cannot have
  collection(client, 'lights').get('west'),
  client.subscribe('fleet/7', (message) => {
    // mistake: a date is a string when it arrives
    if (message.type === 'event' && !message.removed) message.data.at.getTime();
    // mistake: an event may be a removal, which has no data
    if (message.type === 'event') void message.data.lat;
    // mistake: the snapshot may lack a key
    if (message.type === 'start') message.snapshot?.['v1'].lat.toFixed(1);
  }),
];
