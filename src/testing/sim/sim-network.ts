import type { BrokerSink, Publication } from '../../core/ports/broker.js';
import { Disturbances } from './mishaps.js';
import type { Timeline } from './timeline.js';

export type BrokerCall = 'subscribe' | 'read' | 'publish' | 'latest';

/** Travel times of calls in milliseconds: to the broker and, separately, back. */
export interface BrokerPace {
  readonly thereMs: number;
  readonly backMs: number;
  /** How far deliveries lag behind the answers to calls. */
  readonly deliverMs: number;
  /** The call that fails. */
  readonly fails?: BrokerCall | undefined;
}

export const promptBroker: BrokerPace = { thereMs: 0, backMs: 0, deliverMs: 0 };

interface Deliveries {
  stopped: boolean;
  count: number;
  lastMs: number;
}

/**
 * The network between a server and its broker. It is slow, fails, or is down for a while, and
 * single deliveries have mishaps.
 */
export class SimNetwork {
  available = true;
  pace = promptBroker;
  readonly disturbances: Disturbances;
  /** Calls and deliveries in flight. */
  pendingCount = 0;
  sink: BrokerSink | undefined;
  /**
   * Calls in flight to the broker by topic, and the time of the last one, which later calls must
   * not overtake.
   */
  private readonly calls = new Map<string, { count: number; lastMs: number }>();
  /** Deliveries in flight by topic; an unsubscribe cancels them. */
  private readonly deliveries = new Map<string, Deliveries>();
  private outages = 0;

  constructor(private readonly timeline: Timeline) {
    this.disturbances = new Disturbances(timeline);
  }

  /**
   * Makes every call fail, including those in flight, and stops deliveries until the broker is
   * back.
   */
  goAway(): void {
    if (!this.available) return;
    this.outages += 1;
    this.available = false;
    this.disturbances.away = true;
    this.sink?.availability(false);
  }

  comeBack(): void {
    if (this.available) return;
    this.available = true;
    this.disturbances.back();
    this.sink?.availability(true);
  }

  /** Cancels the topic's deliveries in flight. */
  stopDeliveries(topic: string): void {
    const deliveries = this.deliveries.get(topic);
    if (deliveries !== undefined) deliveries.stopped = true;
    this.deliveries.delete(topic);
  }

  /** Sends a publication to the server. */
  deliver(topic: string, epoch: string, publication: Publication): void {
    if (!this.available) {
      this.disturbances.happened(topic);
      return;
    }
    const mishap = this.disturbances.next(topic);
    if (mishap !== undefined) this.disturbances.happened(topic);
    const { how, ms = 0 } = mishap ?? {};
    if (how === undefined || how === 'twice') this.carry(topic, epoch, publication);
    if (how === 'twice' || how === 'late') this.carryLate(topic, epoch, publication, ms);
  }

  /** Delivers in order with the topic's other publications. */
  private carry(topic: string, epoch: string, publication: Publication): void {
    const { nowMs } = this.timeline;
    const deliveries = this.deliveriesOf(topic);
    const atMs = Math.max(nowMs + this.pace.deliverMs, deliveries.lastMs);
    if (atMs === nowMs && deliveries.count === 0) {
      this.sink?.publication(topic, epoch, publication);
      return;
    }
    deliveries.lastMs = atMs;
    this.arrive(atMs - nowMs, deliveries, () => this.sink?.publication(topic, epoch, publication));
  }

  private carryLate(topic: string, epoch: string, publication: Publication, ms: number): void {
    this.arrive(ms, this.deliveriesOf(topic), () => this.sink?.publication(topic, epoch, publication));
  }

  private arrive(ms: number, deliveries: Deliveries, run: () => void): void {
    const { outages } = this;
    deliveries.count += 1;
    this.pendingCount += 1;
    this.timeline.in(ms, () => {
      deliveries.count -= 1;
      this.pendingCount -= 1;
      if (!deliveries.stopped && outages === this.outages) run();
    });
  }

  private deliveriesOf(topic: string): Deliveries {
    const deliveries = this.deliveries.get(topic) ?? { stopped: false, count: 0, lastMs: 0 };
    this.deliveries.set(topic, deliveries);
    return deliveries;
  }

  /** Runs the command when it reaches the broker. Commands of one topic keep their order. */
  async call<T>(
    kind: BrokerCall | 'unsubscribe' | 'tops',
    topic: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const { outages } = this;
    const isCut = (): boolean => kind !== 'unsubscribe' && (!this.available || outages !== this.outages);
    const { thereMs, backMs, fails } = this.pace;
    const { nowMs } = this.timeline;
    const calls = this.calls.get(topic) ?? { count: 0, lastMs: 0 };
    if (thereMs > 0 || calls.count > 0) {
      this.calls.set(topic, calls);
      calls.count += 1;
      calls.lastMs = Math.max(nowMs + thereMs, calls.lastMs);
      await this.passed(calls.lastMs - nowMs);
      calls.count -= 1;
    }
    if (fails === kind || isCut()) throw new Error(`The broker failed to ${kind}`);
    const result = await work();
    if (backMs > 0) await this.passed(backMs);
    // The command has run, but its caller gets no answer.
    if (isCut()) throw new Error(`The broker failed to answer to ${kind}`);
    return result;
  }

  private passed(ms: number): Promise<void> {
    this.pendingCount += 1;
    return new Promise((resolve) => {
      this.timeline.in(ms, () => {
        this.pendingCount -= 1;
        resolve();
      });
    });
  }
}
