import '@angular/compiler';
import { createEnvironmentInjector, Injector, PLATFORM_ID, runInInjectionContext } from '@angular/core';
import type { EnvironmentInjector } from '@angular/core';
import { describe, expect, it } from 'vitest';
import { bindingWorld, event, start } from '../../test/support/binding-world.js';
import type { LiveClient } from '../client/index.js';
import {
  injectClient,
  injectCollection,
  injectLive,
  injectPresence,
  injectStatus,
  provideLive,
} from './angular.js';
import { leaveAfterMs } from './shared.js';

const application = (client: LiveClient, platform: string): EnvironmentInjector =>
  createEnvironmentInjector(
    [provideLive(client), { provide: PLATFORM_ID, useValue: platform }],
    Injector.NULL as EnvironmentInjector,
  );

/** `examples/angular` shows topics that change, in an application with change detection. */
describe('nestjs-live/angular', () => {
  it('[L-4.1] a signal changes once a frame, and its subscription ends after the injector', async () => {
    const { client, tell, pass, wire } = await bindingWorld();
    const injector = application(client, 'browser');
    const [cars, newest, status] = runInInjectionContext(injector, () => [
      injectCollection('a'),
      injectLive('a'),
      injectStatus(),
    ]);
    expect([cars().ready, status().state]).toEqual([false, 'open']);
    await tell(start(0, { x: 0 }), event(1, 'x', 1));
    const before = cars();
    expect([Object.fromEntries(before.data), newest().data]).toEqual([{ x: 1 }, 1]);
    await tell();
    expect(cars()).toBe(before);
    injector.destroy();
    await pass(leaveAfterMs + 1);
    expect(wire()).toMatchObject([{ type: 'subscribe' }, { type: 'unsubscribe' }]);
  });

  it('a signal opens no connection on a server', async () => {
    const { client, wire } = await bindingWorld();
    runInInjectionContext(application(client, 'server'), () => {
      expect(injectClient()).toBe(client);
      const values = [
        injectCollection('a')().ready,
        injectPresence(() => 'a')().data,
        injectStatus()().state,
      ];
      expect(values).toEqual([false, [], 'connecting']);
    });
    expect(wire()).toEqual([]);
  });
});
