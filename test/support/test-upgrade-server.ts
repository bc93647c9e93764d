import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { ConnectionIdentity } from '../../src/core/ports/identity.js';
import { TestClock } from '../../src/testing/test-clock.js';
import { ClientAddresses } from '../../src/ws/client-address.js';
import { type TrustedProxies } from '../../src/ws/trusted-proxies.js';
import { LiveHttpServer, type HttpLimits } from '../../src/ws/live-http-server.js';
import type { Candidate } from '../../src/ws/pending-handshake.js';
import type { ProxiedSockets } from '../../src/ws/proxied-sockets.js';
import type { Refusal } from '../../src/ws/refusal.js';
import type { ServedWebSocket } from '../../src/ws/ws-socket.js';
import { UpgradeHandler, type UpgradeOptions } from '../../src/ws/upgrade.js';
import { RawPeer } from './raw-peer.js';

export interface TestUpgradeServerSetup {
  readonly options?: Partial<UpgradeOptions>;
  readonly limits?: HttpLimits;
  readonly trustedProxies?: TrustedProxies;
  readonly proxied?: (refused: (refusal: Refusal, address: string) => void) => ProxiedSockets;
  readonly precheck?: (request: IncomingMessage) => Refusal | undefined;
  readonly authenticate?: (
    request: IncomingMessage,
    handshake: Candidate,
  ) => ConnectionIdentity | Promise<ConnectionIdentity>;
  readonly accepted?: (ws: ServedWebSocket, socket: Duplex) => void;
}

/** The test advances the time, but event loop turns are real, as the sockets are. */
class LoopClock extends TestClock {
  override soon(run: () => void): void {
    setImmediate(run);
  }
}

/** The upgrade handler behind the live server's own HTTP server, on real sockets and test time. */
export class TestUpgradeServer {
  readonly clock = new LoopClock();
  readonly results: string[] = [];
  /** Requests refused before they reached the upgrade handler, as result and reason. */
  readonly unparsed: string[] = [];
  /** The same refusals with their addresses. */
  readonly refusals: { readonly result: string; readonly reason: string; readonly address: string }[] = [];
  readonly failures: unknown[] = [];
  readonly sockets: ServedWebSocket[] = [];
  /** Text messages received from all peers. */
  readonly received: string[] = [];
  readonly handler: UpgradeHandler;
  draining = false;
  port = 0;
  /** Resolves the pending `until` at the next event. */
  private wake: () => void = () => {};

  private constructor(setup: TestUpgradeServerSetup) {
    this.handler = new UpgradeHandler(
      {
        path: '/live',
        upgradeTimeoutMs: 5_000,
        maxPendingUpgrades: 10,
        maxPendingUpgradesPerAddress: 0,
        maxPendingUpgradesPerPrivateAddress: 0,
        maxConnections: 0,
        maxConnectionsPerUser: 0,
        maxConnectionsPerAddress: 0,
        maxMessageBytes: 65_536,
        ...setup.options,
      },
      new ClientAddresses(setup.trustedProxies ?? 0),
      {
        draining: () => this.draining,
        precheck: (request) => setup.precheck?.(request),
        authenticate: (handshake) =>
          setup.authenticate?.(handshake.request, handshake) ?? Promise.resolve({ user: null }),
        accepted: (ws, { socket, address }, { user }) => {
          this.sockets.push(ws);
          this.handler.occupancy.entered(address, user?.id);
          ws.on('close', () => this.handler.occupancy.left(address, user?.id));
          ws.on('message', (data: Buffer) => this.note(this.received, data.toString()));
          setup.accepted?.(ws, socket);
        },
        handshake: (result) => this.note(this.results, result),
        failed: (_doing, error) => this.note(this.failures, error),
      },
      this.clock,
    );
  }

  static async start(setup: TestUpgradeServerSetup = {}): Promise<TestUpgradeServer> {
    const test = new TestUpgradeServer(setup);
    const refused = ({ result, reason }: Refusal, address: string): void => {
      test.note(test.refusals, { result, reason, address });
      test.note(test.unparsed, `${result}: ${reason}`);
    };
    const server = new LiveHttpServer(
      (...event) => test.handler.handle(...event),
      {
        takeRequest: (...event) => test.handler.handleRequest(...event),
        refused,
        droppedSilent: () => {},
      },
      setup.proxied?.(refused),
      setup.limits,
    );
    test.port = (await server.listen(0, '127.0.0.1')).port;
    onTestFinished(async () => {
      for (const ws of test.sockets) ws.terminate();
      test.handler.refuseAll();
      await server.close();
    });
    return test;
  }

  connect(allowHalfOpen?: boolean): Promise<RawPeer> {
    return RawPeer.connect(this.port, allowHalfOpen);
  }

  /** Waits until `fulfilled` returns true. The time limit of the test bounds the wait. */
  async until(fulfilled: () => boolean): Promise<void> {
    while (!fulfilled()) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 10);
      });
    }
  }

  private note<T>(list: T[], item: T): void {
    list.push(item);
    this.wake();
  }
}
