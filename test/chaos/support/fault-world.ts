import { availableParallelism, loadavg } from 'node:os';
import { onTestFinished } from 'vitest';
import { sleep, until } from '../../brokers/support/waiting.js';
import { Instance, type InstanceSettings } from './instance.js';
import { Ledger, type Verdict } from './ledger.js';
import { AppSubscriber, type Subscriber, WireSubscriber } from './subscribers.js';

/** Publications a second by both instances together. */
export const usualPerSecond = Number(process.env['CHAOS_PER_SECOND'] ?? 2_000);
export const faultTopics = Array.from({ length: 25 }, (_, i) => `chaos/${String(i)}`);
const instanceNumbers = 100_000_000;

export interface FaultWorldOptions {
  /** Publications kept per topic. */
  readonly history?: number;
  /** Publications a second by both instances together. */
  readonly perSecond?: number;
  /** Applications on each instance that stay, and the same number that can leave. */
  readonly apps?: number;
  /** Number of instances that publish. */
  readonly publishers?: number | undefined;
  /** More options of the instances' brokers. */
  readonly options?: object | undefined;
}

/** Two instances on one engine, both publishing, with applications and a plain client on each. */
export class FaultWorld {
  readonly ledger = new Ledger();
  readonly apps: AppSubscriber[] = [];
  /** The applications that leave on request. */
  readonly travelers: AppSubscriber[] = [];
  readonly wires: WireSubscriber[] = [];
  readonly instances: Instance[] = [];

  /** @param urls of the engine, one for each instance, possibly through different proxies */
  static async start(
    urls: readonly [string, string],
    {
      history = 100_000,
      perSecond = usualPerSecond,
      apps = 1,
      publishers = 2,
      options,
    }: FaultWorldOptions = {},
  ): Promise<FaultWorld> {
    const world = new FaultWorld();
    onTestFinished(() => world.end());
    await Promise.all(
      urls.map((broker, place) =>
        world.begin({ broker, port: 0, history, options, first: place * instanceNumbers }, place),
      ),
    );
    await until('both are ready', async () => (await world.ready()).every(Boolean), 30_000);
    for (const { sockets } of world.instances) {
      const app = (): AppSubscriber => new AppSubscriber(() => sockets, faultTopics);
      world.apps.push(...Array.from({ length: apps }, app));
      if (apps > 1) world.travelers.push(...Array.from({ length: apps }, app));
      world.wires.push(await WireSubscriber.connect(sockets, faultTopics));
    }
    await Promise.all([...world.apps, ...world.travelers].map((app) => app.ready()));
    const publishing = world.instances.slice(0, publishers);
    for (const instance of publishing) instance.publish(faultTopics, perSecond / publishing.length);
    await until('publications flow', () => world.ledger.size > perSecond / 2, 30_000);
    // Instances that are busy with their start may be seconds behind at first, on a loaded machine.
    const keepsUp = async (): Promise<boolean> => (await world.liveAgain()) < within(500);
    await until('the subscribers keep up', keepsUp, 60_000);
    return world;
  }

  /** Whether each instance is ready. */
  async ready(): Promise<boolean[]> {
    return Promise.all(this.instances.map(async (instance) => (await instance.health('ready')) === 200));
  }

  /** Waits until all given instances are not ready. Returns the milliseconds. */
  async notReady(which: readonly Instance[] = this.instances): Promise<number> {
    const startMs = performance.now();
    const statuses = async () => Promise.all(which.map((instance) => instance.health('ready')));
    await until('readiness is red', async () => (await statuses()).every((status) => status === 503), 60_000);
    return performance.now() - startMs;
  }

  /** Resolves once every subscriber has, for every topic, a publication made after this call. */
  async liveAgain(): Promise<number> {
    const all = this.subscribers.flatMap(({ heard }) => [...heard.values()]);
    return Math.max(...(await Promise.all(all.map((heard) => heard.liveAgain()))));
  }

  /** Stops publishing, waits until every subscriber has caught up, and judges. */
  async verdict(): Promise<Verdict> {
    await sleep(500);
    await Promise.all(this.instances.map((instance) => instance.stopPublishing()));
    const reached = (): boolean =>
      this.subscribers.every(({ heard }) =>
        [...heard].every(([topic, one]) => this.ledger.hasReached(topic, one)),
      );
    // A subscriber that has not caught up by then lost something, and the verdict says so.
    await until('everybody has everything', reached, 30_000).catch(() => {});
    return this.ledger.judge(this.subscribers.map(({ heard }) => heard));
  }

  get subscribers(): readonly Subscriber[] {
    return [...this.apps, ...this.travelers, ...this.wires];
  }

  /** Faults that the library's own checker finds on the wire. */
  get wireFaults(): readonly unknown[] {
    return this.wires.flatMap(({ faults }) => faults);
  }

  /** How often each subscriber was informed of a loss, for each topic. */
  get reported(): readonly number[] {
    return this.subscribers.flatMap(({ heard }) => [...heard.values()].map(({ reported }) => reported));
  }

  /** Connections that ended. Should be 0. */
  get cuts(): number {
    return this.apps.reduce((sum, { cuts }) => sum + cuts, 0);
  }

  /** Publications that were refused. */
  async refused(): Promise<number> {
    const figures = await Promise.all(this.instances.map((instance) => instance.figures()));
    return figures.reduce((sum, { refused }) => sum + refused, 0);
  }

  private async begin(settings: InstanceSettings, place: number): Promise<void> {
    const ledger = this.ledger;
    this.instances[place] = await Instance.start(settings, (list) => {
      for (const [topic, n, epoch, offset] of list) ledger.add(topic, n, { epoch, offset });
    });
  }

  private async end(): Promise<void> {
    for (const subscriber of this.subscribers) subscriber.close();
    await Promise.all(this.instances.map((instance) => instance?.kill()));
  }
}

/** Processes that run concurrently for the test itself. */
const ownLoad = 3;

/** A time limit of the specification, extended on a busy machine. */
export function within(ms: number): number {
  const [load = 0] = loadavg();
  return ms * Math.max(1, (load - ownLoad) / availableParallelism());
}

/** One line for the log of a test. */
export function line(what: string, verdict: Verdict, figures: Readonly<Record<string, number>>): string {
  const { faults, ...counts } = verdict;
  const rounded = Object.entries(figures).map(([name, value]) => `${name} ${String(Math.round(value))}`);
  const load = loadavg()[0]?.toFixed(1);
  const counted = Object.entries({ ...counts, faults: faults.length }).map(
    ([name, value]) => `${name} ${String(value)}`,
  );
  return `${what} (load ${String(load)}): ${rounded.join(', ')}; ${counted.join(', ')}`;
}
