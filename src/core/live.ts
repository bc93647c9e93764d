import { CloseCode, CloseReason } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import { isTopicName } from '../protocol/topic-name.js';
import { Audience } from './audience.js';
import { carryOutOn } from './cluster/carry-out.js';
import { Cluster } from './cluster/cluster.js';
import { userOf } from './cluster/requests.js';
import { RecentDisconnects } from './cluster/recent-disconnects.js';
import { Arrivals, Registry } from './connection/registry.js';
import { Connection } from './connection/connection.js';
import type { ConnectionContext } from './connection/connection-context.js';
import { type CredentialWatch, watchCredentials } from './connection/credential-watch.js';
import { Heartbeat } from './connection/heartbeat.js';
import type { PeerInfo } from './connection/peer-info.js';
import { Drain, type DrainProgress, type DrainSpread } from './connection/drain.js';
import { Rebalance, type RebalanceOptions, type RebalanceResult } from './connection/rebalance.js';
import { Hub, type HubListener } from './fanout/hub.js';
import { PersonalPolicy, storedTopicOf } from './fanout/personal-topic.js';
import { type WelcomeAnswer, welcomeTexts } from './frame/message-text.js';
import type { LivePorts, LiveSettings } from './ports/settings.js';
import { Backlogs } from './outbound/backlogs.js';
import { Flusher } from './outbound/flusher.js';
import type { Published } from './ports/broker.js';
import type { PublishRefusals } from './ports/observer.js';
import type { LiveSocket } from './ports/socket.js';
import { DataChecks } from './publish/data-checks.js';
import { checkVersionAhead } from './publish/publication-options.js';
import { Publisher } from './publish/publisher.js';
import { noOptions, type PublicationOptions } from './publish/broker-options.js';
import { PresenceBroker } from './presence/presence-broker.js';
import { PresencePolicy } from './presence/presence-policy.js';
import { Continuity } from './stream/continuity.js';
import { Resync } from './stream/resync.js';
import { Snapshots } from './stream/snapshots.js';
import { AuthorizationRecheck } from './verbs/authorization-recheck.js';
import { Session, type SessionContext } from './inbound/session.js';
import { Authorizer } from './verbs/authorizer.js';
import { AuthorizationReview } from './verbs/authorization-review.js';
import { finderOf, makeVerbs, type Verbs } from './verbs/verbs.js';
import { welcomeAnswer, welcomeLimits } from './connection/welcome.js';
import { type LiveStats, liveStatsOf } from './live-stats.js';

/**
 * The live server without its shell: peers enter through `accept`, publications through `publish`.
 */
export class Live {
  readonly registry: Registry;
  readonly verbs: Verbs;
  readonly cluster: Cluster;
  readonly audience: Audience;
  private readonly hub: Hub;
  private readonly publisher: Publisher;
  private readonly checks: DataChecks;
  private readonly continuity: Continuity;
  private readonly heartbeat: Heartbeat;
  private readonly arrivals: Arrivals;
  private readonly credentials: CredentialWatch;
  private readonly recheck: AuthorizationRecheck;
  private readonly disconnects: RecentDisconnects;
  private readonly connections: ConnectionContext;
  private readonly sessions: SessionContext;
  private readonly ports: LivePorts;
  private readonly welcomeText: (answer: WelcomeAnswer) => string;
  private readonly rebalancing: Rebalance;
  private draining_: Drain | undefined;

  constructor(settings: LiveSettings, outside: LivePorts) {
    const { clock, observer } = outside;
    const { limits } = settings;
    const personal = new PersonalPolicy(outside.policy, settings.personalHistory);
    const policy = new PresencePolicy(personal, (topic) => this.audience.presence.snapshotOf(topic));
    const broker = new PresenceBroker(outside.broker, policy, clock);
    const ports = { ...outside, policy, broker };
    this.ports = ports;
    this.welcomeText = welcomeTexts(settings.instanceId, welcomeLimits(limits));
    const flusher = new Flusher(clock, settings.batch);
    const backlogs = new Backlogs(limits, clock);
    // It refers to members that are created below. Nothing arrives before the broker has started.
    const listener: HubListener = {
      gap: (topic, epoch, publication) => this.continuity.heal(topic).take(epoch, publication),
      desync: (topic) => void this.continuity.heal(topic),
      leftOut: (topic, subscription, from) =>
        resync.begin(topic, policy.rulesFor(topic.name), [subscription], () => from),
      audienceOf: (topic) => this.audience.listenerOf(topic),
    };
    this.hub = new Hub({ ...settings, listener, broker, observer, clock, flusher, backlogs });
    this.publisher = new Publisher(broker, observer, clock, settings.publishQueue);
    this.checks = new DataChecks(clock, observer, limits.authorizationTimeoutMs);
    this.registry = new Registry((topic) => this.hub.subscribersOf(topic));
    this.heartbeat = new Heartbeat(limits, clock, this.registry);
    this.rebalancing = new Rebalance(this.registry, clock);
    this.arrivals = new Arrivals(this.registry, this.heartbeat, observer, () => this.draining_?.check());
    this.connections = { clock, observer, flusher, backlogs };
    const authorizer = new Authorizer(policy, clock, observer, limits.authorizationTimeoutMs);
    const rights = new AuthorizationReview(authorizer, clock);
    this.credentials = watchCredentials(limits, this.registry, outside, rights);
    this.recheck = new AuthorizationRecheck(limits.authorizationRecheckMs, clock, this.registry, rights);
    this.disconnects = new RecentDisconnects(clock);
    this.cluster = new Cluster({
      instanceId: settings.instanceId,
      timeoutMs: limits.instanceTimeoutMs,
      broker,
      clock,
      observer,
      carryOut: carryOutOn({ registry: this.registry, clock, rights, disconnects: this.disconnects, policy }),
      attendance: () => this.audience.others,
    });
    this.sessions = { ...limits, clock, observer, onEnd: (...end) => this.arrivals.left(...end) };
    const { hub, publisher, checks, cluster } = this;
    const common = { broker, policy, cluster, clock, observer, limits };
    this.audience = new Audience({ ...common, publish: (...parts) => this.publishTo(...parts) });
    const snapshots = new Snapshots(broker, clock, observer, limits);
    const resync = new Resync({ hub, broker, snapshots, clock, observer });
    const checkIntervalMs = limits.positionCheckIntervalMs;
    this.continuity = new Continuity({ hub, broker, policy, resync, clock, observer, checkIntervalMs });
    this.verbs = makeVerbs({ hub, publisher, checks, snapshots, authorizer, rights }, ports, settings);
    broker.start({
      publication: (topic, epoch, publication) => hub.publication(topic, epoch, publication),
      suspect: (topic) => this.continuity.suspect(topic),
      availability: (available) => {
        observer.availability(available);
        publisher.availability(available);
        this.continuity.availability(available);
        this.cluster.availability(available);
      },
      signal: (text) => this.cluster.received(text),
    });
    this.continuity.start();
    this.heartbeat.start();
    this.credentials.start();
    this.recheck.start();
    this.cluster.start();
  }

  /** Whether the broker is available. Without it nobody can subscribe or publish. */
  get available(): boolean {
    return this.ports.broker.available;
  }

  /** Since when and why a reachable engine refuses publications. */
  get publishRefusals(): PublishRefusals | undefined {
    return this.publisher.health.refusals;
  }

  get draining(): boolean {
    return this.draining_ !== undefined;
  }

  /**
   * Admits a peer and sends its welcome. `find` returns the handler of a message type, by default
   * the core's own verbs. If this throws, the connection is removed and its socket is terminated.
   */
  accept(socket: LiveSocket, peer: PeerInfo, find = finderOf(this.verbs)): Session {
    const connection = new Connection(socket, peer, this.connections);
    const session = new Session(connection, find, this.sessions);
    const welcome = () => welcomeAnswer(connection, this.ports.clock, this.registry.size);
    this.arrivals.enter(connection, () => this.welcomeText(welcome()));
    if (this.draining) connection.close(CloseCode.goingAway, CloseReason.serverShuttingDown);
    const late = connection.user && this.disconnects.meant(connection.user.id, connection.handshakeStartedMs);
    if (late) connection.close(late.code, late.reason);
    return session;
  }

  /**
   * Publishes a JSON value, or a `JsonText`, on behalf of the application, without an authorization
   * check. With `remove`, `data` must be `undefined`.
   *
   * @returns the position once the broker has the publication, and whether it was suppressed as a
   * duplicate or as stale
   * @throws LiveError `validation-failed` for an invalid or undeclared topic, data without JSON
   * text, invalid options, or a version too far ahead of the clock; `limit-exceeded` if the
   * publication is too large; `unavailable` if the broker cannot accept it now
   */
  publish(topic: string, data: unknown, options: PublicationOptions = noOptions): Promise<Published> {
    try {
      if (!isTopicName(topic)) throw new LiveError('validation-failed', 'This is not a topic name [L-3.1]');
      // Not `async`: resolving a promise with the broker's would take two more.
      return this.publishTo(topic, data, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Publishes to the personal topic of a user, as `publish` does. [L-3.15]
   *
   * @throws LiveError as `publish`; `validation-failed` also for an invalid user id
   */
  async publishToUser(userId: string, data: unknown, options: PublicationOptions = {}): Promise<Published> {
    return this.publishTo(storedTopicOf(userOf(userId)), data, options);
  }

  private publishTo(topic: string, data: unknown, options: PublicationOptions): Promise<Published> {
    const rules = this.ports.policy.rulesFor(topic);
    if (rules === undefined) throw new LiveError('validation-failed', `No declared topic matches "${topic}"`);
    if (rules.tellsPresenceOf !== undefined)
      throw new LiveError('validation-failed', `Only the server publishes to "${topic}" [L-11.1]`);
    checkVersionAhead(topic, options, rules, this.ports);
    const checked = this.checks.checkedOptions(topic, options, rules);
    const text = this.checks.applicationText(topic, data, checked, rules);
    return this.publisher.publishOrWait(topic, text, checked, rules);
  }

  stats(): LiveStats {
    const { registry, hub, publisher, cluster, audience, available, draining_: drain } = this;
    return liveStatsOf({ registry, hub, publisher, cluster, audience, available, drain });
  }

  /**
   * Sends every connection away, at once or spread over a window, while publications go on.
   * Resolves when none is left, at the latest after `timeoutMs`. Only the first call counts.
   */
  drain(timeoutMs: number, spread: DrainSpread = { windowMs: 0 }): Promise<DrainProgress> {
    this.rebalancing.stop();
    this.draining_ ??= new Drain(this.registry, this.ports.clock, {
      ...spread,
      timeoutMs,
      beforeClosing: () => this.hub.endWindows(),
      afterClosing: () => this.stop(),
    });
    return this.draining_.done;
  }

  /**
   * Asks a part of the connections to leave for other instances, each in its own slot. [L-10.9]
   *
   * @throws LiveError `validation-failed` for options out of range, `unavailable` during another
   * rebalance or a drain
   */
  async rebalance(options: RebalanceOptions): Promise<RebalanceResult> {
    if (this.draining) throw new LiveError('unavailable', 'This instance is stopping');
    return this.rebalancing.run(options);
  }

  /** Cancels all periodic work. */
  private stop(): void {
    this.heartbeat.stop();
    this.credentials.stop();
    this.continuity.stop();
    this.publisher.stop();
    this.recheck.stop();
  }

  /**
   * Announces the departure to other instances. Call it after the drain, before closing the broker.
   */
  async close(): Promise<void> {
    await Promise.all([this.audience.close(), this.cluster.close()]);
  }
}
