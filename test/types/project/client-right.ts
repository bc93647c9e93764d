import {
  collection,
  type EntryOf,
  type LiveClient,
  type MessageOf,
  state,
  type TopicOf,
} from 'nestjs-live/client';
import type { AppRequests, AppTopics } from './topics.js';

declare const client: LiveClient<AppTopics, AppRequests>;

client.subscribe('fleet/7', (message) => {
  if (message.type === 'event' && !message.removed) {
    const rights: [number, string, number] = [message.data.lat, message.data.at, message.data.speed];
    void rights;
  }
  if (message.type === 'event' && message.removed) message.key satisfies string;
  if (message.type === 'start') message.snapshot?.['v1']?.lat.toFixed(1);
});
client.subscribe('lights', (message) => {
  if (message.type === 'event') message.key satisfies 'north' | 'south';
  if (message.type === 'start') message.snapshot?.north satisfies boolean | undefined;
});
void client.publish('lights', true, { key: 'north' });
void client.publish('lights', undefined, { key: 'south', remove: true });
const lights = collection(client, 'lights');
lights.get('north') satisfies boolean | undefined;
lights.onChange(({ keys }) => keys.has('south'));
collection(client, 'fleet/7').get('v1')?.lat.toFixed(0);
state(client, 'lights', { initial: '', apply: (_, { key = 'north' }) => key satisfies 'north' | 'south' });
client.subscribe('chat/a/messages', (message) => {
  if (message.type === 'lost') message.snapshot?.count.toFixed(0);
});
client.subscribe('scores', (message) => {
  if (message.type === 'start') message.snapshot?.since.toUpperCase();
});
client.subscribe('$user', (message) => {
  if (message.type === 'event' && !message.removed) message.data.unread.toFixed(0);
});
void client.publish('chat/a/messages', { text: 'hi' });
void client.publish('chat/a/messages', { text: 'hi' }, { key: 'k' });
void client.publish('chat/a/messages', undefined, { key: 'k', remove: true });
void client.request('trip.book', { tripId: '7' }).then(({ seat }) => seat.toFixed(0));
void client.request('trip.book', { tripId: '7' }).then(({ at }) => at.toUpperCase());
void client.request('trip.list').then((trips) => trips[0]?.toUpperCase());
void client.request('trip.watch', 7, { timeoutMs: 1 }).then(({ free }) => free.toFixed(0));
void client.request('chat.rename', null).then((answer) => {
  if (answer.type === 'chat.renamed') answer.name.toUpperCase();
});
void client.request('trip.cancel', { at: new Date() }).then((cancelled) => cancelled satisfies boolean);

export function follow<T extends TopicOf<AppTopics>>(
  topic: T,
  tell: (message: MessageOf<EntryOf<AppTopics, T>>) => void,
): void {
  client.subscribe(topic, (message) => {
    if (message.type !== 'end') tell(message);
  });
}
export function either(topic: 'lights' | 'scores'): void {
  client.subscribe(topic, (message) => {
    if (message.type === 'event' && !message.removed) message.data satisfies boolean | { team: string };
  });
}
