import { HealthIndicatorService } from '@nestjs/terminus';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionRegistry } from '../../core/ports/connection-registry.js';
import type { Live } from '../../core/live.js';
import { eventLoopDelay } from '../server/event-loop-delay.js';
import type { LiveLifecycle, LiveState } from '../server/live.lifecycle.js';
import { LiveHealthIndicator } from './live-health.indicator.js';

function indicatorIn(
  state: LiveState,
  connections = 0,
  available = true,
  others: readonly { id: string }[] = [],
): LiveHealthIndicator {
  return new LiveHealthIndicator(
    { state } as LiveLifecycle,
    { size: connections } as ConnectionRegistry,
    { available, cluster: { self: { id: 'here' }, instances: { others } } } as unknown as Live,
    new HealthIndicatorService(),
  );
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('LiveHealthIndicator', () => {
  it('a server without its broker is live but not ready', () => {
    const indicator = indicatorIn('ready', 0, false);
    expect([indicator.live().live.status, indicator.ready().live]).toMatchObject([
      'up',
      { status: 'down', brokerAvailable: false },
    ]);
  });

  it('the result names the known instances, this one first, and at most 50', () => {
    const others = Array.from({ length: 60 }, (_, i) => ({ id: `other-${String(i)}` }));
    const { live } = indicatorIn('ready', 0, true, others).ready();
    expect(live.instances.slice(0, 3)).toEqual(['here', 'other-0', 'other-1']);
    expect(live.instances).toHaveLength(50);
  });

  it.each([
    ['starting', 'down'],
    ['ready', 'up'],
    ['stopping', 'down'],
    ['draining', 'down'],
    ['stopped', 'down'],
  ] as const)('[L-10.1] the server is live while %s, and its readiness is %s', (state, ready) => {
    const indicator = indicatorIn(state);
    expect([indicator.live().live.status, indicator.ready().live.status]).toEqual(['up', ready]);
  });

  it('the result has the delay of the event loop in milliseconds, with two decimals', () => {
    vi.spyOn(eventLoopDelay, 'read').mockReturnValue({ mean: 0.126, p99: 1.5, max: 1_234.567 });
    expect(indicatorIn('ready', 3).ready()).toEqual({
      live: {
        status: 'up',
        state: 'ready',
        draining: false,
        brokerAvailable: true,
        connections: 3,
        instances: ['here'],
        eventLoopDelayMs: { mean: 0.13, p99: 1.5, max: 1_234.57 },
      },
    });
  });

  it('the server is not live above the given delay, and has no limit by default', () => {
    vi.spyOn(eventLoopDelay, 'read').mockReturnValue({ mean: 1, p99: 5_000, max: 9_000 });
    const indicator = indicatorIn('ready');
    const status = (maxEventLoopDelayMs?: number): string =>
      indicator.live('loop', maxEventLoopDelayMs === undefined ? {} : { maxEventLoopDelayMs }).loop.status;
    expect([status(), status(5_000), status(4_999)]).toEqual(['up', 'up', 'down']);
  });
});
