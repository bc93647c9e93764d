import { Random } from '../../../src/testing/sim/random.js';
import { sleep, until } from '../../brokers/support/waiting.js';
import { freePort } from '../../support/redis-server.js';
import { Instance } from './instance.js';
import { Ledger, type Verdict } from './ledger.js';
import { AppSubscriber } from './subscribers.js';

export interface KillOptions {
  /** Decides which instance is killed when and for how long, and which client reads what where. */
  readonly seed: number;
  readonly clients: number;
  readonly topics: number;
  readonly topicsPerClient: number;
  /** Acknowledged publications until the run ends. */
  readonly publications: number;
  readonly perSecond: number;
  readonly killEveryMs: number;
  readonly engine: 'redis' | 'nats';
}

export interface KillReport {
  readonly verdict: Verdict;
  readonly acknowledged: number;
  readonly kills: number;
  /** Connections that ended. */
  readonly cuts: number;
  readonly durationMs: number;
  readonly timeline: readonly string[];
}

const instances = 3;
/** Numbers that one life of an instance may use for its publications. */
const numbersOfALife = 1_000_000;
const longestDownMs = 1_500;
const progressMs = 5_000;

/**
 * Three instances, one of which is killed every few seconds. All publish, and clients reconnect.
 */
export class KillRun {
  private readonly ledger = new Ledger();
  private readonly random: Random;
  private readonly timeline: string[] = [];
  private readonly fleet: { readonly port: number; instance: Instance | undefined }[] = [];
  private readonly subscribers: AppSubscriber[] = [];
  private readonly topics: readonly string[];
  private readonly restarts = new Set<Promise<void>>();
  private lives = 0;
  private kills = 0;
  private startMs = 0;

  /**
   * @param broker URL of the engine
   * @param say receives log lines, and the progress every five seconds
   */
  constructor(
    private readonly broker: string,
    private readonly options: KillOptions,
    private readonly say: (line: string) => void = () => {},
  ) {
    this.random = new Random(options.seed);
    this.topics = Array.from({ length: options.topics }, (_, i) => `chaos/${String(i)}`);
  }

  async run(): Promise<KillReport> {
    const progress = setInterval(() => this.tellProgress(), progressMs);
    try {
      await this.begin();
      await this.kill();
      await Promise.all(this.restarts);
      return await this.end();
    } finally {
      clearInterval(progress);
      for (const subscriber of this.subscribers) subscriber.close();
      await Promise.allSettled(this.restarts);
      await Promise.all(this.fleet.map(({ instance }) => instance?.kill()));
    }
  }

  private async begin(): Promise<void> {
    for (let i = 0; i < instances; i++) this.fleet.push({ port: await freePort(), instance: undefined });
    await Promise.all(this.fleet.map((_, place) => this.startInstance(place)));
    const { clients } = this.options;
    for (let i = 0; i < clients; i++) this.subscribers.push(this.subscriber());
    await Promise.all(this.subscribers.map((subscriber) => subscriber.ready()));
    this.startMs = performance.now();
    for (const { instance } of this.fleet) this.publishOn(instance);
  }

  /** Kills one instance after the other until enough is acknowledged. */
  private async kill(): Promise<void> {
    const { publications, killEveryMs } = this.options;
    while (this.ledger.size < publications) {
      const nextMs = performance.now() + killEveryMs * (0.75 + this.random.next() / 2);
      const [place, downMs] = [this.random.below(instances), this.random.below(longestDownMs)];
      while (performance.now() < nextMs && this.ledger.size < publications) await sleep(20);
      const running = this.fleet[place]?.instance;
      const up = this.fleet.filter(({ instance }) => instance !== undefined).length;
      // One instance must survive, or nobody could recover what was missed.
      if (this.ledger.size >= publications || running === undefined || up < 2) continue;
      this.note(`kill -9 of instance ${String(place)} for ${String(downMs)} ms`);
      this.kills += 1;
      const restart = this.restart(place, running, downMs).finally(() => this.restarts.delete(restart));
      this.restarts.add(restart);
    }
  }

  private async restart(place: number, running: Instance, downMs: number): Promise<void> {
    const slot = this.fleet[place];
    if (slot !== undefined) slot.instance = undefined;
    await running.kill();
    await sleep(downMs);
    this.publishOn(await this.startInstance(place));
    this.note(`instance ${String(place)} is back`);
  }

  private async end(): Promise<KillReport> {
    await Promise.all(this.fleet.map(({ instance }) => instance?.stopPublishing()));
    const acknowledged = this.ledger.size;
    const reached = (): boolean =>
      this.subscribers.every(({ heard }) =>
        [...heard].every(([topic, one]) => this.ledger.hasReached(topic, one)),
      );
    // A subscriber that has not caught up by then lost something, and the verdict says so.
    await until('everybody has everything', reached, 20_000).catch(() => {});
    return {
      verdict: this.ledger.judge(this.subscribers.map(({ heard }) => heard)),
      acknowledged,
      kills: this.kills,
      cuts: this.subscribers.reduce((sum, { cuts }) => sum + cuts, 0),
      durationMs: performance.now() - this.startMs,
      timeline: this.timeline,
    };
  }

  private async startInstance(place: number): Promise<Instance> {
    const slot = this.fleet[place];
    if (slot === undefined) throw new Error('There is no such instance');
    const settings = {
      broker: this.broker,
      port: slot.port,
      // All that NATS keeps per topic. A client may recover at most 300 at once.
      history: 500,
      first: this.lives++ * numbersOfALife,
    };
    const instance = await Instance.start(settings, (list) => {
      for (const [topic, n, epoch, offset] of list) this.ledger.add(topic, n, { epoch, offset });
    });
    await until('it is ready', async () => (await instance.health('ready')) === 200, 20_000);
    slot.instance = instance;
    return instance;
  }

  private publishOn(instance: Instance | undefined): void {
    instance?.publish(this.topics, this.options.perSecond / instances);
  }

  /** Connects to any of the three instances, and tries another if that one is down. */
  private subscriber(): AppSubscriber {
    const own = new Random(this.random.below(2 ** 32));
    const topics = new Set<string>();
    while (topics.size < this.options.topicsPerClient) topics.add(own.pick(this.topics));
    return new AppSubscriber(() => `ws://127.0.0.1:${String(own.pick(this.fleet).port)}/live`, [...topics]);
  }

  private note(what: string): void {
    const entry = `${((performance.now() - this.startMs) / 1_000).toFixed(1)} s: ${what}`;
    this.timeline.push(entry);
    this.say(entry);
  }

  private tellProgress(): void {
    const { clients, publications } = this.options;
    const began = this.startMs > 0;
    this.say(
      began
        ? `${String(this.ledger.size)} of ${String(publications)} acknowledged, ${String(this.kills)} kills`
        : `${String(clients)} clients are connecting`,
    );
  }
}

/** The result of a run as text. */
export function reportText(options: KillOptions, report: KillReport): string {
  const { seed, engine, clients, topics } = options;
  const { verdict, acknowledged, kills, cuts, durationMs, timeline } = report;
  const { expected, delivered, reported, silent, wrong, duplicates, reorders, faults } = verdict;
  const rows = [
    [`seed ${String(seed)} on ${engine}`, { clients, topics, acknowledged, kills, 'connections cut': cuts }],
    [
      `in ${(durationMs / 1_000).toFixed(1)} s`,
      { expected, delivered, 'lost and reported': reported, silent, wrong },
    ],
    ['besides', { duplicates, reorders, faults: faults.length }],
  ] as const;
  return [
    ...rows.map(([name, figures]) => `${name}: ${inWords(figures)}`),
    ...timeline.map((entry) => `  ${entry}`),
    ...faults.slice(0, 10).map((fault) => `  !! ${fault}`),
    `repeat: ${replayCommand(options)}`,
  ].join('\n');
}

/** The command that repeats a run. */
export function replayCommand(options: KillOptions): string {
  const { seed, clients, topics, topicsPerClient, publications, perSecond, killEveryMs, engine } = options;
  const said = Object.entries({
    seed,
    clients,
    topics,
    'topics-per-client': topicsPerClient,
    publications,
    'per-second': perSecond,
    'kill-every': killEveryMs,
    engine,
  });
  return `npm run chaos -- ${said.map(([name, value]) => `--${name} ${String(value)}`).join(' ')}`;
}

function inWords(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
