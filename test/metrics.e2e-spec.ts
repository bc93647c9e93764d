import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Header } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { register, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { LiveGateway } from '../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { HandshakeRefused, LiveTestClient } from '../src/testing/index.js';
import { itOnSockets } from './support/door.js';
import { type LiveAppOptions, platforms, startLiveApp } from './support/live-app.js';

@Controller('metrics')
class MetricsController {
  constructor(private readonly metrics: LiveMetrics) {}

  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  read(): Promise<string> {
    return this.metrics.text();
  }
}

class ChattyGateway extends LiveGateway {
  @SubscribeMessage('fail')
  fail(): never {
    throw new Error('on purpose');
  }

  /** Answers with the type that the client asks for, as a faulty application might. */
  @SubscribeMessage('say')
  say(@MessageBody() { as }: { as: string }): { type: string } {
    return { type: as };
  }
}

async function start(setup: LiveAppOptions) {
  const started = await startLiveApp({ imports: [LiveMetricsModule], gateway: ChattyGateway, ...setup });
  const metrics = started.app.get(LiveMetrics, { strict: false });
  return { ...started, metrics };
}

/**
 * Samples of a scrape: `name{label="value"}` to its value. Throws for an invalid or repeated line.
 */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const [, series, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined || samples.has(series) || !Number.isFinite(Number(value)))
      throw new Error(`Not a sample: ${line}`);
    samples.set(series, Number(value));
  }
  return samples;
}

const scrape = async (metrics: LiveMetrics) => samplesOf(await metrics.text());

/** The nonzero samples, except those that depend on the machine. */
async function counted(metrics: LiveMetrics): Promise<Record<string, number>> {
  const samples = [...(await scrape(metrics))].filter(
    ([series, value]) => value !== 0 && !series.includes('event_loop_delay'),
  );
  return Object.fromEntries(samples.map(([series, value]) => [series.replace('processor_live_', ''), value]));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await condition());) {
    if (Date.now() > end) throw new Error('The condition did not come true within 15 s');
    await sleep(20);
  }
}

afterEach(() => {
  register.clear();
});

describe.each(platforms)('metrics, on %s', (_name, platform) => {
  it('[S13] the metrics have exactly these names, types and labels', async () => {
    const { httpUrl } = await start({
      platform,
      listen: true,
      controllers: [MetricsController],
      options: { instanceId: 'node-1' },
    });
    const response = await fetch(`${httpUrl}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; ?version=0\.0\.4; ?charset=utf-8$/);
    expect([...text.matchAll(/^# TYPE (.+)$/gm)].map(([, type]) => type)).toEqual([
      'processor_live_messages_inbound_total counter',
      'processor_live_messages_outbound_total counter',
      'processor_live_handshakes_total counter',
      'processor_live_closes_total counter',
      'processor_live_rate_limited_total counter',
      'processor_live_authorizations_total counter',
      'processor_live_errors_total counter',
      'processor_live_gaps_total counter',
      'processor_live_restarts_total counter',
      'processor_live_broker_suspicions_total counter',
      'processor_live_publications_total counter',
      'processor_live_deliveries_total counter',
      'processor_live_reading_pauses_total counter',
      'processor_live_silent_sockets_dropped_total counter',
      'processor_live_credentials_refused_total counter',
      'processor_live_versions_refused_total counter',
      'processor_live_failures_total counter',
      'processor_live_connections gauge',
      'processor_live_event_streams gauge',
      'processor_live_subscriptions gauge',
      'processor_live_topics gauge',
      'processor_live_queued_bytes gauge',
      'processor_live_connections_behind gauge',
      'processor_live_broker_available gauge',
      'processor_live_publishing_refused_seconds gauge',
      'processor_live_healing_topics gauge',
      'processor_live_restarting_subscriptions gauge',
      'processor_live_waiting_publications gauge',
      'processor_live_pending_handshakes gauge',
      'processor_live_draining gauge',
      'processor_live_drain_slots_total counter',
      'processor_live_drain_left_total counter',
      'processor_live_drain_closed_total counter',
      'processor_live_drain_terminated_total counter',
      'processor_live_event_loop_delay_seconds gauge',
      'processor_live_commands_total counter',
      'processor_live_command_answers_total counter',
      'processor_live_command_answers_missing_total counter',
      'processor_live_signals_rejected_total counter',
      'processor_live_presence_members_rejected_total counter',
      'processor_live_signals_unsent_total counter',
      'processor_live_peer_instances gauge',
      'processor_live_kept_topics gauge',
      'processor_live_presence_members gauge',
    ]);
    const labels = [...samplesOf(text).keys()].map((series) => series.replaceAll(/="[^"]*"/g, ''));
    expect([...new Set(labels)].filter((series) => series.includes('{'))).toEqual([
      'processor_live_messages_inbound_total{type,instance_id}',
      'processor_live_messages_outbound_total{type}',
      'processor_live_handshakes_total{result}',
      'processor_live_closes_total{code}',
      'processor_live_rate_limited_total{result}',
      'processor_live_authorizations_total{outcome}',
      'processor_live_errors_total{code}',
      'processor_live_gaps_total{outcome}',
      'processor_live_restarts_total{result}',
      'processor_live_event_loop_delay_seconds{stat}',
    ]);
    expect(text).toContain(
      'processor_live_messages_inbound_total{type="subscribe",instance_id="node-1"} 0\n',
    );
    for (const stat of ['mean', 'p99', 'max'])
      expect(text).toContain(`processor_live_event_loop_delay_seconds{stat="${stat}"} `);
  });

  // A stream has no close code of its client, and its close waits for no answer [L-12.6].
  itOnSockets('[S13] the metrics count a known transcript exactly', async () => {
    const { live, url, metrics } = await start({ platform, options: { instanceId: 'node-1' } });
    await expect(LiveTestClient.connect(url)).rejects.toBeInstanceOf(HandshakeRefused);
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })),
    );
    if (ann === undefined || bob === undefined) throw new Error('unreachable');
    await ann.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await bob.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await bob.request({ type: 'subscribe', id: 2, topic: 'open/2' });
    for (let i = 0; i < 10; i++) await live.publish('open/1', i);
    await live.publish('open/2', 0);
    await live.publish('open/nobody', 0);
    await ann.request({ type: 'publish', id: 2, topic: 'open/1', data: 0 });
    // The unhandled type is ann's last but one: the application's messages keep their order.
    ann.send('no JSON');
    ann.send({ type: 'nobody-takes-this' });
    ann.send({ type: 'fail' });
    await ann.settle();
    await bob.settle();
    expect(await counted(metrics)).toEqual({
      broker_available: 1,
      connections: 2,
      subscriptions: 3,
      topics: 2,
      publications_total: 13,
      deliveries_total: 23,
      'authorizations_total{outcome="allowed"}': 4,
      'errors_total{code="internal"}': 1,
      'errors_total{code="not-implemented"}': 2,
      'errors_total{code="protocol-violation"}': 1,
      failures_total: 1,
      'handshakes_total{result="accepted"}': 2,
      'handshakes_total{result="unauthorized"}': 1,
      'messages_inbound_total{type="subscribe",instance_id="node-1"}': 3,
      'messages_inbound_total{type="publish",instance_id="node-1"}': 1,
      'messages_inbound_total{type="ping",instance_id="node-1"}': 1,
      'messages_inbound_total{type="fail",instance_id="node-1"}': 1,
      'messages_inbound_total{type="invalid",instance_id="node-1"}': 1,
      'messages_inbound_total{type="unknown",instance_id="node-1"}': 2,
      'messages_outbound_total{type="welcome"}': 2,
      'messages_outbound_total{type="subscribed"}': 3,
      'messages_outbound_total{type="event"}': 23,
      'messages_outbound_total{type="published"}': 1,
      'messages_outbound_total{type="error"}': 4,
      'messages_outbound_total{type="pong"}': 1,
    });
  });

  it('[S13] the metrics count no more messages than a client received', async () => {
    const { live, url, metrics } = await start({ platform });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    for (let i = 0; i < 100; i++) await live.publish('open/1', i);
    await client.settle();
    const samples = await scrape(metrics);
    let total = 0;
    for (const [series, value] of samples)
      if (series.startsWith('processor_live_messages_outbound_total')) total += value;
    expect(total).toBe(client.transcript.length);
  });

  itOnSockets(
    '[S14] the gauges return to exactly 0 after a churn of connections, and each close is counted by code',
    async () => {
      const { url, metrics } = await start({ platform });
      const churn = async (index: number): Promise<void> => {
        const client = await LiveTestClient.connect(url, { token: `user-${String(index % 7)}` });
        client.send({ type: 'subscribe', topic: `open/${String(index)}` });
        if (index % 3 === 0) await client.settle();
        if (index % 2 === 0) client.socket.terminate();
        else if (index % 5 === 0) client.socket.close(4321, 'my own code');
        else client.socket.close(1000);
        await client.closed;
      };
      for (let batch = 0; batch < 10; batch++)
        await Promise.all(Array.from({ length: 20 }, (_, index) => churn(batch * 20 + index)));
      await until(async () => (await scrape(metrics)).get('processor_live_connections') === 0);
      const samples = await scrape(metrics);
      for (const gauge of ['connections', 'subscriptions', 'topics', 'queued_bytes', 'pending_handshakes'])
        expect([gauge, samples.get(`processor_live_${gauge}`)]).toEqual([gauge, 0]);
      const closes = (code: string): number =>
        samples.get(`processor_live_closes_total{code="${code}"}`) ?? -1;
      expect({ normal: closes('1000'), gone: closes('1006'), other: closes('other') }).toEqual({
        normal: 80,
        gone: 100,
        other: 20,
      });
      expect(samples.get('processor_live_handshakes_total{result="accepted"}')).toBe(200);
    },
  );

  it('[S13] the number of series stays the same for any topics, users and types', async () => {
    const { live, url, metrics } = await start({ platform, options: { dangerouslyUnlimitedInbound: true } });
    const first = await LiveTestClient.connect(url, { token: 'first' });
    const rounds = async (client: LiveTestClient, word: string, count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const topic = `open/${word}-${String(i)}`;
        if (i % 20 === 0) client.send({ type: 'subscribe', topic });
        client.send({ type: `${word}-${String(i)}` });
        client.send({ type: 'say', as: `${word}-${String(i)}\r\n\u001b[2J` });
        client.send({ type: 'say', as: `${word}-${String(i)}` });
        await live.publish(topic, i);
      }
      // `settle` would scan thousands of messages. Answers about topics may arrive after the
      // marker.
      client.send({ type: `${word}-done`, id: 'done' });
      const subscribed = (): number => client.transcript.filter(({ type }) => type === 'subscribed').length;
      await until(() => Promise.resolve(client.transcript.findLast(({ id }) => id === 'done') !== undefined));
      await until(() => Promise.resolve(subscribed() === count / 20));
    };
    await rounds(first, 'before', 100);
    const before = await scrape(metrics);
    const second = await LiveTestClient.connect(url, { token: 'second' });
    await rounds(second, 'after', 1_000);
    second.socket.close(4999, 'whatever');
    await second.closed;
    const after = await scrape(metrics);
    expect([...after.keys()]).toEqual([...before.keys()]);
    const types = [...after.keys()].filter((series) => series.includes('messages_outbound_total'));
    expect(types.length).toBe(51);
    expect(after.get('processor_live_messages_outbound_total{type="other"}')).toBe(2_200 - (50 - 12));
    expect(after.get('processor_live_publications_total')).toBe(1_100);
  });

  it('[S13] two applications in one process do not share metrics', async () => {
    const [one, other] = await Promise.all([start({ platform }), start({ platform })]);
    await LiveTestClient.connect(one.url, { token: 'ann' });
    expect((await scrape(one.metrics)).get('processor_live_connections')).toBe(1);
    expect((await scrape(other.metrics)).get('processor_live_connections')).toBe(0);
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('[S13] the metrics use the given registry and prefix, and leave the registry at shutdown', async () => {
    const setup: LiveAppOptions = {
      platform,
      imports: [LiveMetricsModule.forRoot({ registry: register })],
      options: { metricsPrefix: 'my_app' },
    };
    const { app, metrics } = await start(setup);
    expect(metrics.registry).toBe(register);
    expect((await scrape(metrics)).get('my_app_connections')).toBe(0);
    await expect(start(setup)).rejects.toThrow(
      /already has a metric "my_app_\w+".*new Registry\(\).*metricsPrefix/s,
    );
    await app.close();
    expect(register.getMetricsAsArray()).toEqual([]);
    await start(setup);
  });

  it('[S13] the metrics module can be configured from another provider', async () => {
    const registry = new Registry();
    const { metrics } = await start({
      platform,
      imports: [LiveMetricsModule.forRootAsync({ useFactory: () => ({ registry }) })],
    });
    expect(metrics.registry).toBe(registry);
  });

  itOnSockets('[L-10.1] the draining gauge is 1 while the server drains', async () => {
    const { app, url, metrics } = await start({ platform, listen: true });
    const slow = await LiveTestClient.connect(url, { token: 'ann' });
    slow.socket.pause();
    const closing = app.close();
    await until(async () => (await scrape(metrics)).get('processor_live_draining') === 1);
    expect((await scrape(metrics)).get('processor_live_connections')).toBe(1);
    slow.socket.resume();
    await closing;
    const samples = await scrape(metrics);
    expect(samples.get('processor_live_connections')).toBe(0);
    expect(samples.get('processor_live_closes_total{code="1001"}')).toBe(1);
  });
});
