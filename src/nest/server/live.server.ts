import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CanActivate, Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { FindHandler } from '../../core/inbound/responder.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { Live } from '../../core/live.js';
import type { Clock } from '../../core/ports/clock.js';
import { ClientAddresses } from '../../ws/client-address.js';
import { type TrustedProxies } from '../../ws/trusted-proxies.js';
import type { Occupancy } from '../../ws/occupancy.js';
import type { Candidate } from '../../ws/pending-handshake.js';
import { Refusal, serverUnavailable } from '../../ws/refusal.js';
import { liveSocketOf } from '../../ws/batched-socket.js';
import { EventDoor } from '../../sse/event-door.js';
import type { LiveSocket } from '../../core/ports/socket.js';
import type { Session } from '../../core/inbound/session.js';
import { UpgradeHandler } from '../../ws/upgrade.js';
import { windowBitsOf } from '../../ws/websocket-server.js';
import { checkTokens } from '../auth/credential-verifier.js';
import { renewsSessions } from '../auth/session-renewer.js';
import { KeptHandshake } from '../auth/kept-handshake.js';
import { originAdvice } from '../auth/origin-advice.js';
import { corsHeaders, pageVerdict } from '../auth/page-origin.js';
import { UpgradeGuards } from '../auth/upgrade-guards.js';
import { haveHooks } from '../gateway/gateway-metadata.js';
import type { LiveClients } from '../gateway/live-clients.js';
import { LivePort } from './live-port.js';
import { requestContractOf } from '../topics/request-contracts.js';
import { LiveWsAdapter } from '../gateway/live-ws.adapter.js';
import { foreignAdapter, forwardedByStranger } from '../options/live.errors.js';
import { LiveGateway } from '../gateway/live.gateway.js';
import { ObserverList } from '../logging/live.observers.js';
import { LiveObservers } from '../logging/live-observer.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { LIVE_CLOCK, LIVE_GUARDS, LIVE_OPTIONS, LIVE_SETTINGS } from '../options/live.tokens.js';
import { type MessageContexts, messageContexts } from '../gateway/message-contexts.js';

/**
 * Accepts connections: combines the port, the upgrade handler, and the path from a socket to the
 * gateways.
 */
@Injectable()
export class LiveServer {
  private readonly port: LivePort;
  private readonly upgrades: UpgradeHandler;
  private guards: UpgradeGuards | undefined;
  private clients: LiveClients | undefined;
  private handlers: MessageContexts | undefined;
  private refusing = false;
  /** Whether the guards may have to run again, to renew a credential. */
  private readonly keepsHandshakes: boolean;

  constructor(
    private readonly live: Live,
    @Inject(LiveObservers) observers: ObserverList,
    host: HttpAdapterHost,
    private readonly application: ApplicationConfig,
    @Inject(LIVE_SETTINGS) private readonly settings: ResolvedLiveOptions,
    @Inject(LIVE_OPTIONS) private readonly options: LiveModuleOptions,
    @Inject(LIVE_CLOCK) clock: Clock,
    private readonly contexts: ExternalContextCreator,
    private readonly gateway: LiveGateway,
    private readonly modules: ModulesContainer,
    @Inject(LIVE_GUARDS) guards: readonly (Type<CanActivate> | CanActivate)[],
  ) {
    this.keepsHandshakes = checkTokens(guards) || renewsSessions(guards);
    const logger = new Logger('Live');
    const addresses = new ClientAddresses(forwardersOf(settings), (from) =>
      logger.warn(forwardedByStranger(from)),
    );
    this.upgrades = new UpgradeHandler(
      settings.upgrade,
      addresses,
      {
        draining: () => this.refusing,
        precheck: (request, opens) => this.checkOrigin(request) ?? (opens ? this.checkBroker() : undefined),
        authenticate: (handshake) => this.authenticate(handshake),
        accepted: (ws, candidate, identity) => {
          const socket = liveSocketOf(ws, candidate.socket, windowBitsOf(candidate.request), settings.batch);
          ws.serve(this.enter(socket, candidate, identity));
        },
        handshake: (...decided) => observers.handshake(...decided),
        failed: (doing, error) => observers.failed(doing, error),
      },
      clock,
    );
    const { occupancy } = this.upgrades;
    const events = settings.sse
      ? new EventDoor(settings, live.cluster, addresses, clock, {
          consider: (candidate) => this.upgrades.consider(candidate),
          cors: (request) => corsHeaders(request, options),
          entered: (...peer) => this.enter(...peer),
          handshake: (...decided) => observers.handshake(...decided),
          began: (address) => occupancy.began(address),
          decided: (address) => occupancy.decided(address),
          failed: (doing, error) => observers.failed(doing, error),
        })
      : undefined;
    this.port = new LivePort(settings, host, (...event) => this.upgrades.handle(...event), {
      takeRequest: (...event) => this.upgrades.handleRequest(...event) || events?.take(...event) === true,
      refused: ({ result, reason }, address) => observers.handshake(result, address, reason),
      droppedSilent: () => observers.droppedSilent(),
    });
    observers.add({
      opened: ({ remoteAddr, user }) => occupancy.entered(remoteAddr, user?.id),
      closed: (connection, _code, reason) => {
        occupancy.left(connection.remoteAddr, connection.user?.id);
        this.clients?.disconnected(connection, reason);
      },
    });
  }

  /** Counts of connections and pending handshakes, by address and by user. */
  get occupancy(): Occupancy {
    return this.upgrades.occupancy;
  }

  /** Handshakes that are not decided yet. */
  get pendingHandshakes(): number {
    return this.upgrades.pendingCount;
  }

  /**
   * Runs the guards on a connection's handshake again, with this token or with its cookies. [L-7.7]
   */
  async askGuards(connection: LiveConnection, token?: string): Promise<ConnectionIdentity | null> {
    const kept = this.clients?.keptFor(connection);
    if (!(kept instanceof KeptHandshake) || this.guards === undefined)
      throw serverUnavailable('The handshake is unknown');
    const { cookieHeader } = connection;
    const request =
      token === undefined
        ? kept.requestWithCookies(cookieHeader ?? '')
        : kept.requestWith(token, cookieHeader, this.options.jwt?.cookieName);
    return this.guards.identify(request, connection.remoteAddr);
  }

  /**
   * Starts listening. Rejects if the port cannot be bound, or if another adapter would bypass the
   * guards.
   */
  async start(): Promise<void> {
    this.clients = this.findClients();
    this.clients.haveHooks = haveHooks(this.modules);
    this.handlers = await this.makeHandlers(this.clients);
    // Not in the constructor, where the guards' dependencies, APP_GUARD and useGlobalGuards() are
    // not available yet.
    this.guards = new UpgradeGuards(this.contexts, this.gateway);
    await this.port.open();
  }

  /**
   * The URL for clients, such as `ws://127.0.0.1:8081/live`, or `ws+unix:/run/live.sock:/live` on a
   * Unix socket.
   *
   * @throws Error before the server listens
   */
  url(): string {
    return this.port.url();
  }

  /** Answers every upgrade with 503 from now on. */
  refuse(): void {
    this.refusing = true;
    this.upgrades.refuseAll();
  }

  /** Closes what could still keep the application's server open once the peers are gone. */
  dropIdle(): void {
    this.port.dropIdle();
  }

  /** Releases the port or path. */
  stop(): Promise<void> {
    return this.port.close();
  }

  /** The handlers of messages, by type; all connections share them. */
  private makeHandlers({ answersOf }: LiveClients): Promise<MessageContexts> {
    const config = this.options.globalEnhancersOnMessages ? this.application : new ApplicationConfig();
    const { validate } = this.settings;
    return messageContexts(this.modules, config, answersOf, (gateway, method) =>
      requestContractOf(gateway, method, validate),
    );
  }

  private findClients(): LiveClients {
    const adapter = this.application.getIoAdapter() as unknown;
    if (adapter instanceof LiveWsAdapter && adapter.clients !== undefined) return adapter.clients;
    throw foreignAdapter((adapter as object | undefined)?.constructor.name ?? 'none');
  }

  private authenticate({ request, address }: Candidate): ConnectionIdentity | Promise<ConnectionIdentity> {
    if (this.guards === undefined) throw serverUnavailable('The server is starting');
    return this.guards.authenticate(request, address);
  }

  private checkOrigin(request: IncomingMessage): Refusal | undefined {
    const verdict = pageVerdict(request, this.options, request.headers.upgrade === undefined);
    if (verdict === 'ok') return undefined;
    const message = `Origin refused: ${verdict}`;
    const reason = `${message}. ${originAdvice(verdict, request.rawHeaders)}`;
    return new Refusal(403, message, {}, 'origin', reason);
  }

  /**
   * A client accepted now could do nothing, and may find another instance whose broker is
   * available. [L-5.11]
   */
  private checkBroker(): Refusal | undefined {
    return this.live.available ? undefined : serverUnavailable('The broker of this server is unavailable');
  }

  private readonly find: FindHandler = (type) => this.handlers?.get(type)?.handle;

  private enter(
    socket: LiveSocket,
    { request, address, handshakeStartedMs }: Candidate,
    identity: ConnectionIdentity,
  ): Session {
    const { clients } = this;
    if (clients === undefined) throw serverUnavailable('The server is starting');
    const kept = this.keepsHandshakes ? new KeptHandshake(request) : undefined;
    const session = this.live.accept(
      socket,
      {
        id: randomUUID(),
        identity,
        remoteAddr: address,
        cookieHeader: request.headers.cookie,
        handshakeStartedMs,
      },
      this.find,
    );
    clients.connected(session.connection, request, kept);
    return session;
  }
}

/**
 * The proxies whose `X-Forwarded-For` is trusted. The PROXY protocol accounts for one of a number
 * of proxies.
 */
function forwardersOf({ trustedProxies, proxyProtocol }: ResolvedLiveOptions): TrustedProxies {
  return proxyProtocol && typeof trustedProxies === 'number' ? trustedProxies - 1 : trustedProxies;
}
