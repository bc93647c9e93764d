import { WebSocket } from 'ws';
import { LiveClient } from '../../../src/client/live-client.js';
import type { WebSocketConstructor } from '../../../src/client/index.js';
import type { Position } from '../../../src/protocol/position.js';
import { Random } from '../../../src/testing/sim/random.js';
import { sleep, until } from '../../brokers/support/waiting.js';
import { freePort } from '../../support/redis-server.js';
import { Instance } from './instance.js';

export interface PublishOptions {
  readonly seed: number;
  readonly engine: 'redis' | 'nats';
  readonly clients: number;
  /** Publications of each client. */
  readonly publications: number;
  readonly topics: number;
  /** Time in which a client makes its publications. */
  readonly durationMs: number;
  /** A client's connection is cut at a random moment between these. */
  readonly cutMs: readonly [min: number, max: number];
  readonly killEveryMs: number;
}

export interface PublishReport {
  readonly published: number;
  /** Publications in the topics that no client has made, or more than once. */
  readonly twice: number;
  /** Answers that name a position with other data. */
  readonly wrong: number;
  /** Publications before an earlier one of the same client and topic. */
  readonly reordered: number;
  /** Rejections, by code. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly cuts: number;
  readonly kills: number;
  readonly durationMs: number;
}

interface Made {
  readonly topic: string;
  readonly data: string;
  readonly at: Position;
}

const instances = 3;

/** Clients that publish while their links are cut and instances are killed. */
export class PublishRun {
  private readonly random: Random;
  private readonly topics: readonly string[];
  private readonly fleet: { readonly port: number; instance: Instance | undefined }[] = [];
  private readonly made: Made[][] = [];
  private readonly rejected: Record<string, number> = {};
  private readonly restarts = new Set<Promise<void>>();
  private cuts = 0;
  private kills = 0;
  private over = false;

  /** @param broker URL of the engine */
  constructor(
    private readonly broker: string,
    private readonly options: PublishOptions,
  ) {
    this.random = new Random(options.seed);
    this.topics = Array.from({ length: options.topics }, (_, i) => `chaos/${String(i)}`);
  }

  async run(): Promise<PublishReport> {
    const clients: LiveClient[] = [];
    try {
      for (let i = 0; i < instances; i++) this.fleet.push({ port: await freePort(), instance: undefined });
      await Promise.all(this.fleet.map((_, place) => this.start(place)));
      const startMs = performance.now();
      const killing = this.kill();
      await Promise.all(
        Array.from({ length: this.options.clients }, (_, n) => {
          const sockets = new Set<WebSocket>();
          const client = this.client(sockets);
          clients.push(client);
          void this.cut(sockets);
          return this.publish(client, n);
        }),
      );
      this.over = true;
      await killing;
      return await this.report(performance.now() - startMs);
    } finally {
      this.over = true;
      for (const client of clients) client.close();
      await Promise.allSettled(this.restarts);
      await Promise.all(this.fleet.map(({ instance }) => instance?.kill()));
    }
  }

  /** Dials any instance, another one if that is down. */
  private client(sockets?: Set<WebSocket>): LiveClient {
    const own = new Random(this.random.below(2 ** 32));
    const { fleet } = this;
    return new LiveClient('ws://127.0.0.1/live', {
      webSocket: class extends WebSocket {
        constructor(_url: string, protocols: string[]) {
          super(`ws://127.0.0.1:${String(own.pick(fleet).port)}/live`, protocols);
          sockets?.add(this);
          this.once('close', () => sockets?.delete(this));
        }
      } as unknown as WebSocketConstructor,
      backoff: { minMs: 50, maxMs: 500 },
    });
  }

  /** Publishes at random moments, without waiting for answers. */
  private async publish(client: LiveClient, n: number): Promise<void> {
    const { publications, durationMs } = this.options;
    const own = new Random(this.random.below(2 ** 32));
    const topic = own.pick(this.topics);
    const mine: Made[] = [];
    this.made.push(mine);
    const all: Promise<void>[] = [];
    for (let i = 0; i < publications; i++) {
      const data = `${String(n)}-${String(i)}`;
      all.push(
        client.publish(topic, data).then(
          (at) => void (mine[i] = { topic, data, at }),
          ({ code }: { code: string }) => void (this.rejected[code] = (this.rejected[code] ?? 0) + 1),
        ),
      );
      await sleep((own.next() * 2 * durationMs) / publications);
    }
    await Promise.all(all);
  }

  private async cut(sockets: Set<WebSocket>): Promise<void> {
    const [min, max] = this.options.cutMs;
    const own = new Random(this.random.below(2 ** 32));
    while (!this.over) {
      await sleep(min + own.next() * (max - min));
      for (const socket of sockets) {
        if (socket.readyState === WebSocket.OPEN) this.cuts += 1;
        socket.terminate();
      }
    }
  }

  private async kill(): Promise<void> {
    while (!this.over) {
      const nextMs = performance.now() + this.options.killEveryMs;
      while (performance.now() < nextMs && !this.over) await sleep(20);
      const place = this.random.below(instances);
      const running = this.fleet[place]?.instance;
      const up = this.fleet.filter(({ instance }) => instance !== undefined).length;
      if (this.over || running === undefined || up < 2) continue;
      this.kills += 1;
      const restart = this.restart(place, running).finally(() => this.restarts.delete(restart));
      this.restarts.add(restart);
    }
  }

  private async restart(place: number, running: Instance): Promise<void> {
    const slot = this.fleet[place];
    if (slot !== undefined) slot.instance = undefined;
    await running.kill();
    await sleep(this.random.below(1_500));
    await this.start(place);
  }

  private async start(place: number): Promise<void> {
    const slot = this.fleet[place];
    if (slot === undefined) throw new Error('There is no such instance');
    const { clients, publications, engine } = this.options;
    const history = clients * publications;
    // A duplicate is answered with its position only as long as NATS has the first one.
    const options = engine === 'nats' ? { stream: { messagesPerTopic: history } } : undefined;
    const settings = { broker: this.broker, port: slot.port, history, first: 0, options };
    const instance = await Instance.start(settings, () => {});
    await until('it is ready', async () => (await instance.health('ready')) === 200, 20_000);
    slot.instance = instance;
  }

  /** Compares the ends of the topics, and what is at the positions, with what was answered. */
  private async report(durationMs: number): Promise<PublishReport> {
    const { rejected, cuts, kills } = this;
    await Promise.all(this.restarts);
    // Without the holes that rejections leave.
    const made = this.made.flat().flat();
    let wrong = 0;
    let reordered = 0;
    for (const mine of this.made) {
      let last = 0;
      for (const { at } of mine.flat()) {
        if (at.offset <= last) reordered += 1;
        last = at.offset;
      }
    }
    const stored = new Map<string, Set<number>>();
    for (const { topic, at } of made) {
      const offsets = stored.get(topic) ?? new Set();
      stored.set(topic, offsets);
      if (offsets.has(at.offset)) wrong += 1;
      offsets.add(at.offset);
    }
    const client = this.client();
    let ends = 0;
    for (const topic of this.topics) {
      const at = await new Promise<Position>((resolve) => {
        client.subscribe(topic, (message) => {
          if (message.type === 'start') resolve(message.position);
        });
      });
      ends += at.offset;
      for (const one of made) if (one.topic === topic && one.at.epoch !== at.epoch) wrong += 1;
    }
    client.close();
    return {
      published: made.length,
      twice: ends - made.length,
      wrong,
      reordered,
      rejected,
      cuts,
      kills,
      durationMs,
    };
  }
}
