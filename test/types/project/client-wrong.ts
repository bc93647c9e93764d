import { collection, type LiveClient } from 'nestjs-live/client';
import type { AppRequests, AppTopics } from './topics.js';

declare const client: LiveClient<AppTopics, AppRequests>;

client.subscribe('fleet/7', (message) => {
  if (message.type === 'event' && !message.removed) {
    // mistake: a date is a string when it arrives
    message.data.at.getTime();
    // mistake: a field that the data does not have
    void message.data.longitude;
  }
  // mistake: an event may be a removal, which has no data
  if (message.type === 'event') void message.data.lat;
  // mistake: the snapshot has the last data of each key
  if (message.type === 'start') message.snapshot?.['v1']?.toFixed(1);
});
// mistake: a topic that nobody declares
client.subscribe('fleet');
// mistake: data of another type
void client.publish('chat/a/messages', { text: 1 });
// mistake: a field that clients may not set
void client.publish('chat/a/messages', { text: 'hi', by: 'root' });
// mistake: a topic to which no client may publish
void client.publish('fleet/7', { lat: 1, at: new Date() });
// mistake: a removal without its key
void client.publish('chat/a/messages', undefined, { remove: true });
// mistake: a removal with a key of undefined
void client.publish('chat/a/messages', undefined, { key: undefined, remove: true });
// mistake: a key that the topic does not have
void client.publish('lights', true, { key: 'west' });
// mistake: a publication without its key
void client.publish('lights', true);
// mistake: options without the key
void client.publish('lights', true, {});
// mistake: a removal of a key that the topic does not have
void client.publish('lights', undefined, { key: 'west', remove: true });
// mistake: a key that the collection cannot have
collection(client, 'lights').get('west');
client.subscribe('lights', (message) => {
  // mistake: an event cannot have this key
  if (message.type === 'event' && message.key === 'west') void message;
  // mistake: a key that the snapshot cannot have
  if (message.type === 'start') void message.snapshot?.west;
  // mistake: a snapshot may lack a declared key
  if (message.type === 'start') message.snapshot?.north.valueOf();
});
client.subscribe('fleet/7', (message) => {
  // mistake: a removal has a key of the declared form
  if (message.type === 'event' && message.removed) message.key satisfies 'v1';
});
// mistake: a request that no handler takes
void client.request('trip.drop');
// mistake: a request with wrong data
void client.request('trip.book', { tripId: 7 });
// mistake: another answer
void client.request('trip.book', { tripId: '7' }).then(({ seat }) => seat.toUpperCase());
// mistake: a date in an answer is a string
void client.request('trip.book', { tripId: '7' }).then(({ at }) => at.getTime());
// mistake: a request without its data
void client.request('trip.book');
// mistake: data for a request that has none
void client.request('trip.list', 7);
// mistake: an answer that never comes
void client.request('trip.seen', 'a').then((answer) => answer.free);
// mistake: data of another handler's request
void client.request('chat.rename', { tripId: '7' });
// mistake: data that the schema of a request does not accept
void client.request('trip.cancel', { at: 7 });
client.subscribe('fleet/7', (message) => {
  // mistake: the snapshot may lack a key
  if (message.type === 'start') message.snapshot?.['v1'].lat.toFixed(1);
  // mistake: only a start and a loss have a snapshot
  if (message.type === 'event') void message.snapshot;
  // mistake: a key is a string
  if (message.type === 'event' && message.removed) message.key.toFixed(0);
  // mistake: not every event has a key
  if (message.type === 'event') message.key.toUpperCase();
  // mistake: the snapshot is no data of an event
  if (message.type === 'event' && !message.removed) void message.data['v1'];
});
// mistake: a key of another type
void client.publish('chat/a/messages', { text: 'hi' }, { key: 7 });
