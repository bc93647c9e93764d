import { removalData } from '../../core/ports/broker.js';
import type { PublicationOptions } from '../../core/publish/broker-options.js';
import { AppPeer } from './app-peer.js';
import { TabsPeer } from './tabs-peer.js';
import { isSaidBy } from './delivery-checker.js';
import type { Fault, Rule } from './faults.js';
import type { Participant, Surroundings } from './participant.js';
import { Publications } from './publications.js';
import { Random } from './random.js';
import { ServerSide, simLimits } from './server-side.js';
import { SimBroker } from './sim-broker.js';
import { type ClientEnd, SimLink } from './sim-link.js';
import { SimPolicy } from './sim-policy.js';
import type { MakeTopics, SimTopic } from './sim-topic.js';
import { type Grant, peerCounts } from './step.js';
import { Timeline } from './timeline.js';
import { tokenText } from './token.js';
import { WirePeer } from './wire-peer.js';

export interface WorldOptions {
  readonly seed: number;
  readonly makeTopics: MakeTopics;
  /** Whether to record a journal. */
  readonly keepJournal?: boolean | undefined;
  /** Rules to ignore, to see which other rules would have found a fault. */
  readonly blindTo?: readonly Rule[] | undefined;
  /** Tabs of each application that share a connection; 0 for a client of its own. @default 0 */
  readonly tabs?: number | undefined;
}

/** Server, broker, network and participants of one run, in one process and one thread of time. */
export class World implements Surroundings {
  readonly faults: Fault[] = [];
  /** The journal, in order. */
  readonly journal: string[] = [];
  readonly timeline: Timeline;
  readonly publications = new Publications();
  readonly broker: SimBroker;
  readonly policy: SimPolicy;
  readonly server: ServerSide;
  readonly participants: readonly Participant[];
  readonly links = new Set<SimLink>();
  /** Topics whose authorization may fail, and topics where anything else may; '' stands for all. */
  readonly troubled = { rights: new Set<string>(), data: new Set<string>() };
  /** How far each topic's store is behind. */
  readonly behind = new Map<string, number>();
  private readonly chance: Random;
  private lastPublication = 0;
  private lastSerial = 0;

  constructor(private readonly options: WorldOptions) {
    this.chance = new Random(options.seed ^ 0x5eed);
    this.timeline = new Timeline(() => this.random());
    this.broker = new SimBroker(this.timeline, this.publications);
    const { publications, timeline, broker, behind } = this;
    const topics = options.makeTopics({ publications, behind: (topic) => behind.get(topic) ?? 0 });
    const policy = new SimPolicy(topics, timeline, (token, topic) => this.server.allowed(token, topic));
    this.policy = policy;
    const rules = {
      publications,
      policy,
      limits: simLimits,
      now: () => timeline.nowMs,
      wallMs: () => timeline.clock.wallMs(),
      stalledMs: () => timeline.stalledMs,
      mayFail: (topic: string) => this.mayFail(topic),
      disturbances: broker.network.disturbances,
    };
    this.server = new ServerSide({ timeline, broker, policy, rules, tell: this.tell, note: this.note });
    this.participants = this.people();
  }

  /** Whether a fault has happened, so that the run can stop. */
  readonly failed = (): boolean => this.faults.length > 0;

  readonly tell = (rule: Rule, text: string): void => {
    if (this.options.blindTo?.includes(rule) === true) return;
    this.faults.push({ rule, text: `at ${this.timeline.nowMs.toFixed(1)} ms: ${text}` });
    this.note(`!!! ${rule}: ${text}`);
  };

  readonly note = (text: string): void => {
    if (this.options.keepJournal === true) this.journal.push(text);
  };

  random(): number {
    return this.chance.next();
  }

  issue(userId: string, { rights, expiresInMs }: Grant): string {
    const expiresAt = expiresInMs === undefined ? 0 : this.timeline.clock.wallMs() + expiresInMs;
    return tokenText({ userId, rights, expiresAt }, ++this.lastSerial);
  }

  dial(name: string, token: string, end: ClientEnd): SimLink {
    const link = new SimLink(this.timeline, this.server.end(name, token), end);
    for (const other of this.links) if (other.finished && other.left) this.links.delete(other);
    this.links.add(link);
    link.dial();
    return link;
  }

  topic(name: string): SimTopic | undefined {
    return this.policy.topics.find((topic) => topic.name === name);
  }

  nextData(name: string, bytes = 0): unknown {
    const n = ++this.lastPublication;
    if (bytes > 0) return { n, filling: 'x'.repeat(bytes) };
    return this.topic(name)?.data?.(n) ?? { n };
  }

  /**
   * The next publication of the topic. If the topic has `removes`, every second one removes its
   * key, and every third one has an outdated version.
   */
  next(name: string, key: string | undefined): { data: unknown; options: PublicationOptions } {
    const data = this.nextData(name);
    if (key === undefined || this.topic(name)?.removes !== true)
      return { data, options: key === undefined ? {} : { key } };
    const n = this.lastPublication;
    const version = n % 3 === 0 ? n - 40 : n;
    if (n % 2 > 0) return { data, options: { key, version } };
    return { data: undefined, options: { key, version, remove: true } };
  }

  /** Publishes as the application, to its own store first. */
  publish(name: string, key: string | undefined): void {
    const { data, options } = this.next(name, key);
    this.give(name, data, options);
  }

  /** Publishes many, or large, messages as the application. */
  flood(name: string, count: number, bytes: number): void {
    for (let i = 0; i < count; i++) this.give(name, this.nextData(name, bytes), {});
  }

  private give(name: string, data: unknown, options: PublicationOptions): void {
    const { key, remove: removed } = options;
    this.topic(name)?.stored?.(data, key);
    this.server.live.publish(name, data, options).then(
      ({ epoch, offset, suppressed }) => {
        if (suppressed !== undefined) return;
        if (!isSaidBy(this.publications.find(name, epoch, offset), { data, key, removed }))
          this.tell('data', `${name} ${String(offset)} is not what was published`);
      },
      () => {},
    );
  }

  /** Publishes as another instance; the application's own store gets the data as well. */
  publishElsewhere(name: string, key: string | undefined): void {
    const { data, options } = this.next(name, key);
    this.topic(name)?.stored?.(data, key);
    const { latest, history } = this.policy.rulesFor(name) ?? {};
    const rules = { ...(latest && { latest }), ...(history && { history }) };
    const text = options.remove === true ? removalData : JSON.stringify(data);
    void this.broker.publishElsewhere(name, text, { ...options, ...rules });
  }

  private people(): Participant[] {
    const { wire, client } = peerCounts;
    const peers: Participant[] = [];
    // Two of them are the same user.
    for (let i = 0; i < wire; i++) peers.push(new WirePeer(`peer${String(i)}`, `u${String(i % 2)}`, this));
    const { tabs = 0 } = this.options;
    for (let i = wire; i < wire + client; i++) {
      const [name, userId] = [`client${String(i)}`, `u${String(i)}`];
      peers.push(tabs > 0 ? new TabsPeer(name, userId, this, tabs) : new AppPeer(name, userId, this));
    }
    return peers;
  }

  private mayFail(name: string): { rights: boolean; data: boolean } {
    const { rights, data } = this.troubled;
    return {
      rights: rights.has(name),
      data: data.has(name) || data.has('') || this.topic(name)?.mayLag === true,
    };
  }
}
