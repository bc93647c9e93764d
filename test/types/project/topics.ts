import { type } from 'arktype';
import { IsInt, IsString } from 'class-validator';
import { defineTopic, LiveTopic, type LiveUser, type ParamsOf, snapshotAt, type TopicsOf } from 'nestjs-live';
import * as v from 'valibot';
import { z } from 'zod';

const Position = z.object({ lat: z.number(), at: z.coerce.date<Date>(), speed: z.number().default(0) });

@LiveTopic()
export class FleetTopic {
  static readonly topic = defineTopic('fleet/:fleetId', {
    data: Position,
    snapshot: 'last-per-key',
    params: z.object({ fleetId: z.coerce.number<string>() }),
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

export class ScoreDto {
  @IsString() team!: string;
  @IsInt() goals!: number;
}

@LiveTopic()
export class ScoreTopic {
  static readonly topic = defineTopic('scores', { data: ScoreDto });

  canSubscribe(): boolean {
    return true;
  }

  snapshot(): { readonly since: Date } | undefined {
    return { since: new Date() };
  }
}

export type AppTopics = TopicsOf<typeof FleetTopic | typeof ChatTopic | typeof ScoreTopic> & {
  readonly $user: { readonly unread: number };
};
