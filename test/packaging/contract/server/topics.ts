import { MessageBody } from '@nestjs/websockets';
import {
  defineRequests,
  defineTopic,
  LiveHandlers,
  LiveTopic,
  type ParamsOf,
  type RequestMessage,
  type RequestsOf,
  type TopicsOf,
} from 'nestjs-live';
import { z } from 'zod';

@LiveTopic()
export class FleetTopic {
  static readonly topic = defineTopic('fleet/:fleetId', {
    data: z.object({ lat: z.number(), at: z.date() }),
    params: z.object({ fleetId: z.coerce.number<string>() }),
    snapshot: 'last-per-key',
  });

  canSubscribe(_user: unknown, { fleetId }: ParamsOf<typeof FleetTopic>): boolean {
    return fleetId > 0;
  }
}

@LiveHandlers()
export class TripHandlers {
  static readonly requests = defineRequests({ 'trip.book': 'book' });

  book(@MessageBody() { data }: RequestMessage<{ seat: number }>) {
    return { ticket: `only the server knows how to book ${data.seat}` };
  }
}

export interface AppTopics extends TopicsOf<typeof FleetTopic> {}
export type AppRequests = RequestsOf<typeof TripHandlers>;
