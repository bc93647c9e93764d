import type { AppRequests, AppTopics } from '@acme/contract';
import { connect } from 'nestjs-live/client';

const client = connect<AppTopics, AppRequests>('wss://live.example/live');
client.subscribe('fleet/7', (message) => {
  if (message.type === 'start') console.log(message.snapshot?.['v1']?.lat.toFixed(1));
  if (message.type !== 'event' || message.removed) return;
  console.log(message.data.at.toUpperCase());
  // @ts-expect-error: a date is a string when it arrives
  console.log(message.data.at.getTime());
});
// @ts-expect-error: a topic that nobody declares
client.subscribe('fleets/7');
void client.request('trip.book', { seat: 7 }).then(({ ticket }) => ticket.toUpperCase());
// @ts-expect-error: wrong data
void client.request('trip.book', { seat: '7' });
