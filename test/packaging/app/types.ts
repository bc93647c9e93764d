// Compiled by tarball.spec.ts: the types of every export, resolved like in a user's project.
import { Module } from '@nestjs/common';
import { connect } from 'nestjs-live/client';
import { LiveHealthIndicator } from 'nestjs-live/health';
import { LiveMetricsModule } from 'nestjs-live/metrics';
import { LiveTestClient } from 'nestjs-live/testing';
import {
  type LiveConnection,
  JwtConnectionGuard,
  LiveModule,
  LiveService,
  LiveTopic,
  type LiveTopicProvider,
  type LiveUser,
  type Position,
} from 'nestjs-live';

@LiveTopic('fleet/:fleetId', { history: { size: 10 } })
class Fleet implements LiveTopicProvider<{ fleetId: string }> {
  canSubscribe(user: LiveUser | null, { fleetId }: { fleetId: string }): boolean {
    return user?.['fleet'] === fleetId;
  }
}

@Module({
  imports: [
    LiveModule.forRootAsync({
      guards: [JwtConnectionGuard],
      useFactory: () => ({ port: 'app' as const, jwt: { secret: 'x'.repeat(32) } }),
    }),
  ],
  providers: [Fleet],
})
export class App {}

export const publish = (live: LiveService): Promise<Position> =>
  live.publish('fleet/7', { speed: 3 }, { key: 'v1' });
export const idOf = (connection: LiveConnection): string => connection.id;
export const doors = [connect, LiveHealthIndicator, LiveMetricsModule, LiveTestClient];
