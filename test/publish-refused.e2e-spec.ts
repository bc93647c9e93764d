import { DiscardPolicy } from '@nats-io/jetstream';
import { expect, it, onTestFinished } from 'vitest';
import { until } from './brokers/support/waiting.js';
import { NatsServer } from './support/nats-server.js';
import { describeWith, natsServer, redisServer } from './support/programs.js';
import { RedisServer } from './support/redis-server.js';
import { type RunningServer, startServer } from './support/spawned-server.js';

const key = 'a-key-of-this-test';

// The demo publishes in this process only, which proves nothing about the engine.
const start = (url: string): Promise<RunningServer> =>
  startServer({ LIVE_PUBLISH_KEY: key, LIVE_DEMO: 'true', LIVE_BROKER_URL: url });

async function publish({ http }: RunningServer): Promise<number> {
  const response = await fetch(`${http}/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"topic":"chat/1","data":1}',
  });
  return response.status;
}

async function ready({ http }: RunningServer) {
  const response = await fetch(`${http}/health/ready`);
  const { details } = (await response.json()) as {
    details: { live: { publishingRefused?: { since: string; reason: string } } };
  };
  return { status: response.status, refused: details.live.publishingRefused };
}

const gauge = async ({ http }: RunningServer): Promise<number> => {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Number(/^processor_live_publishing_refused_seconds (\S+)/m.exec(text)?.[1]);
};

/**
 * One publication is refused and nobody publishes after it. The server is not ready after 5 s, or
 * sooner if the probe of the engine is refused, and ready again once the cause has ended.
 */
async function goesDownAndComesBack(
  running: RunningServer,
  reason: string,
  cause: () => Promise<unknown>,
  end: () => Promise<unknown>,
): Promise<void> {
  await until('it is ready', async () => (await ready(running)).status === 200, 10_000);
  expect([await publish(running), await gauge(running)]).toEqual([202, 0]);
  await cause();
  expect(await publish(running)).toBe(503);
  const beganMs = Date.now();
  const first = await ready(running);
  expect(first.refused?.reason).toBe(reason);
  expect(Math.abs(Date.parse(first.refused?.since ?? '') - beganMs)).toBeLessThan(2_000);
  await until('it is not ready', async () => (await ready(running)).status === 503, 9_000);
  expect(await gauge(running)).toBeGreaterThan(0);
  await running.server.logged('broker refuses publications');
  expect(running.server.stdout).toMatch(/failed: publishing \(refused since 20/);
  await end();
  const isFine = async (): Promise<boolean> => {
    const { status, refused } = await ready(running);
    return status === 200 && refused === undefined;
  };
  await until('it is ready again', isFine, 8_000);
  expect([await publish(running), await gauge(running)]).toEqual([202, 0]);
  await running.server.logged('broker takes publications again');
}

type Commands = readonly (readonly string[])[];

/** Each refusal with the commands that cause and end it. */
const refusals: readonly (readonly [reason: string, cause: Commands, end: Commands])[] = [
  [
    'it has too few replicas (NOREPLICAS)',
    [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
    [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
  ],
  [
    'its memory is full (OOM)',
    [
      ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
    ],
    [['CONFIG', 'SET', 'maxmemory', '0']],
  ],
  [
    'a permission is missing (NOPERM)',
    [['ACL', 'SETUSER', 'default', '-evalsha']],
    [['ACL', 'SETUSER', 'default', '+evalsha']],
  ],
];

describeWith(redisServer)('Readiness while Redis refuses publications', () => {
  it('the server is not ready after 5 s of refusals by Redis for any cause, and recovers without a publisher', async () => {
    const redis = await RedisServer.start();
    const run = async (commands: Commands): Promise<void> => {
      for (const command of commands) await redis.run(...command);
    };
    const running = await start(redis.url);
    for (const [words, cause, end] of refusals) {
      const reason = `Redis refuses publications: ${words}`;
      await goesDownAndComesBack(
        running,
        reason,
        () => run(cause),
        () => run(end),
      );
    }
    // One key for all instances, without a history.
    expect(await redis.run('KEYS', 'live:{%0024*')).toEqual(['live:{%0024live/probe}']);
  }, 90_000);
});

describeWith(natsServer)('Readiness while NATS refuses publications', () => {
  it('the server is not ready after 5 s with a full NATS stream, and recovers without a publisher', async () => {
    const nats = await NatsServer.start();
    onTestFinished(() => nats.remove());
    const running = await start(nats.url);
    const update = (settings: object): Promise<unknown> =>
      nats.withManager((jsm) => jsm.streams.update('LIVE', settings));
    await goesDownAndComesBack(
      running,
      'NATS refuses publications: maximum messages exceeded',
      () => update({ discard: DiscardPolicy.New, max_msgs: 1 }),
      () => update({ discard: DiscardPolicy.Old, max_msgs: -1 }),
    );
  }, 40_000);
});
