import { type } from 'arktype';
import { IsInt, IsString } from 'class-validator';
import { MessageBody, ConnectedSocket } from '@nestjs/websockets';
import { of } from 'rxjs';
import {
  defineRequests,
  defineTopic,
  type LiveConnection,
  LiveHandlers,
  LiveRequest,
  type RequestMessage,
  LiveTopic,
  type RequestsOf,
  type LiveUser,
  type ParamsOf,
  snapshotAt,
  type TopicsOf,
} from 'nestjs-live';
import * as v from 'valibot';
import { z } from 'zod';

const Position = z.object({ lat: z.number(), at: z.coerce.date<Date>(), speed: z.number().default(0) });

@LiveTopic()
export class FleetTopic {
  static readonly topic = defineTopic('fleet/:fleetId', {
    data: Position,
    snapshot: 'last-per-key',
    params: z.object({ fleetId: z.coerce.number<string>() }),
    key: z.templateLiteral(['v', z.number()]).optional(),
    history: { size: 10 },
  });

  canSubscribe(_user: LiveUser | null, { fleetId }: ParamsOf<typeof FleetTopic>) {
    return fleetId > 0;
  }
}

@LiveTopic()
export class ChatTopic {
  static readonly topic = defineTopic('chat/:room/messages', {
    data: v.object({ text: v.string(), by: v.string() }),
    clientPublish: v.pipe(
      v.object({ text: v.string() }),
      v.transform(({ text }) => ({ text, by: 'client' })),
    ),
    snapshot: type({ count: 'number' }),
  });

  async canSubscribe(): Promise<boolean> {
    return true;
  }

  canPublish(user: LiveUser | null, { room }: ParamsOf<typeof ChatTopic>): boolean {
    return user?.id === room;
  }

  async snapshot() {
    return snapshotAt({ epoch: 'a', offset: 1 }, { count: 1 });
  }
}

@LiveTopic()
export class LightTopic {
  static readonly topic = defineTopic('lights', {
    data: z.boolean(),
    key: v.picklist(['north', 'south']),
    snapshot: 'last-per-key',
  });

  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }
}

export class ScoreDto {
  @IsString() team!: string;
  @IsInt() goals!: number;
}

@LiveTopic()
export class ScoreTopic {
  static readonly topic = defineTopic('scores', { data: ScoreDto, key: type("'home' | 'away' | undefined") });

  canSubscribe(): boolean {
    return true;
  }

  snapshot(): { readonly since: Date } | undefined {
    return { since: new Date() };
  }
}

export type AppTopics = TopicsOf<
  typeof FleetTopic | typeof ChatTopic | typeof ScoreTopic | typeof LightTopic
> & {
  readonly $user: { readonly unread: number };
};

@LiveHandlers()
export class TripHandlers {
  static readonly requests = defineRequests({
    'trip.book': 'book',
    'trip.list': 'list',
    'trip.watch': 'watch',
    'trip.seen': 'seen',
    'trip.cancel': { method: 'cancel', data: z.object({ at: z.coerce.date<Date>() }), answer: z.boolean() },
  });

  async book(
    @ConnectedSocket() _connection: LiveConnection,
    @MessageBody() { data }: RequestMessage<{ tripId: string }>,
  ) {
    return { seat: data.tripId.length, at: new Date() };
  }

  list(): readonly string[] {
    return [];
  }

  watch(@MessageBody() _message: RequestMessage<number>) {
    return of({ free: 1 });
  }

  cancel(@MessageBody() { data }: RequestMessage<{ at: Date }>) {
    return data.at.getTime() > 0;
  }

  seen(@MessageBody() _message: RequestMessage<string>): void {}
}

const Seat = z.object({ seat: z.string().transform(Number) });
const Ticket = z.object({ ticket: z.string(), at: z.coerce.date<Date>() });

/** Right uses of `@LiveRequest`. */
@LiveHandlers()
export class SeatHandlers {
  @LiveRequest('seat.book', { data: Seat, answer: Ticket })
  async book(
    @ConnectedSocket() _connection: LiveConnection,
    @MessageBody('data') { seat }: { seat: number },
  ) {
    return { ticket: seat.toFixed(0), at: new Date() };
  }

  @LiveRequest('seat.read', { data: Seat, answer: v.number() })
  read(@MessageBody() { data }: RequestMessage<{ seat: number }>) {
    return of(data.seat);
  }

  @LiveRequest('seat.count', { data: Seat })
  count(@ConnectedSocket() _connection: LiveConnection): number {
    return 1;
  }

  @LiveRequest('seat.list', { answer: type('number[]') })
  list(): number[] | undefined {
    return [1];
  }

  @LiveRequest('seat.any', { data: ScoreDto, answer: ScoreDto })
  any(@MessageBody('data') data: unknown): Promise<ScoreDto> {
    return Promise.resolve(data as ScoreDto);
  }

  @LiveRequest('seat.plain')
  plain(@MessageBody('data') data: string): string {
    return data;
  }

  @LiveRequest('seat.seen', { data: Seat, answer: v.number() })
  seen(): void {}
}

@LiveHandlers()
export class ChatHandlers {
  static readonly requests = defineRequests({ 'chat.rename': 'rename' });

  rename(@MessageBody() { data }: RequestMessage<{ name: string } | null>) {
    return data === null
      ? { type: 'chat.kept' as const }
      : { type: 'chat.renamed' as const, name: data.name };
  }
}

export type AppRequests = RequestsOf<typeof TripHandlers | typeof ChatHandlers>;
