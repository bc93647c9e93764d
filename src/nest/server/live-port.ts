import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { socketTrust } from '../../ws/trusted-proxies.js';
import { type HttpServerHooks, LiveHttpServer, type TakeUpgrade } from '../../ws/live-http-server.js';
import { ProxiedSockets } from '../../ws/proxied-sockets.js';
import { SharedSockets } from '../../ws/shared-sockets.js';
import { routeUpgrades } from '../../ws/upgrade-router.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { socketUrl } from './socket-url.js';
import { logEntry } from '../logging/log-entry.js';

/** Milliseconds to retry a port in use, outside of production. */
const patienceMs = 5_000;

/**
 * Where sockets connect: a port or Unix socket of the live server, or the application's HTTP
 * server.
 */
export class LivePort {
  private readonly logger = new Logger('Live');
  private http: LiveHttpServer | undefined;
  private address: AddressInfo | string | undefined;
  /** With `port: 'app'`: the sockets of the application's server. */
  private readonly shared = new SharedSockets();
  private readonly proxied: ProxiedSockets | undefined;
  private unroute: (() => void) | undefined;

  constructor(
    private readonly settings: ResolvedLiveOptions,
    private readonly host: HttpAdapterHost,
    private readonly takeUpgrade: TakeUpgrade,
    private readonly hooks: HttpServerHooks,
  ) {
    const { proxyProtocol, trustedProxies } = settings;
    if (!proxyProtocol) return;
    this.proxied = new ProxiedSockets(socketTrust(trustedProxies), hooks.refused);
    this.proxied.onDropped = () => hooks.droppedSilent();
  }

  /** Rejects if the port cannot be bound. */
  async open(): Promise<void> {
    const { port, host, socketPath, upgrade } = this.settings;
    if (port === 'app') {
      const server = this.appServer();
      const unread = this.proxied?.attach(server);
      const unroute = routeUpgrades(server, upgrade.path, this.takeUpgrade, this.shared, this.hooks);
      this.unroute = () => {
        unroute();
        unread?.();
      };
      return;
    }
    const where = socketPath === undefined ? { host, port } : { socketPath };
    this.logger.log(logEntry({ msg: 'starting', ...where }));
    this.http = new LiveHttpServer(this.takeUpgrade, this.hooks, this.proxied);
    // In watch mode the new process starts while the old one drains. In production a port in use is
    // a mistake.
    const patience = process.env['NODE_ENV'] === 'production' ? 0 : patienceMs;
    if (socketPath === undefined) {
      const address = await this.http.listen(port, host, patience);
      this.address = address;
      this.logger.log(logEntry({ msg: 'ready', host, port: address.port, url: this.url() }));
    } else {
      await this.http.listenAtPath(socketPath, patience);
      this.address = socketPath;
      this.logger.log(logEntry({ msg: 'ready', socketPath, url: this.url() }));
    }
  }

  /** @throws Error before the server listens */
  url(): string {
    const { port, upgrade } = this.settings;
    const address = port === 'app' ? this.appServer().address() : this.address;
    if (address === undefined || address === null)
      throw new Error('The live server is not listening yet: call url() after app.listen().');
    return socketUrl(address, upgrade.path);
  }

  /** Closes sockets that could keep the application's server open when it closes. */
  dropIdle(): void {
    this.shared.dropIdle();
    this.proxied?.close();
  }

  /** Releases the port or path. */
  async close(): Promise<void> {
    this.unroute?.();
    this.unroute = undefined;
    await this.http?.close();
    this.http = undefined;
  }

  private appServer(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
