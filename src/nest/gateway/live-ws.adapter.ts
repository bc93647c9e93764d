import type { INestApplicationContext, WebSocketAdapter, WsMessageHandler } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { AbstractWsAdapter } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Observable } from 'rxjs';
import { Connection } from '../../core/connection/connection.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import { adapterUnsaid } from '../options/live.errors.js';
import { LiveClients } from './live-clients.js';
import { liveServerMark } from './live-handlers.decorator.js';

/** Options of `LiveWsAdapter`. */
export interface LiveWsAdapterOptions {
  /**
   * Serves the application's other gateways, such as `new IoAdapter(app)`.
   *
   * @default the stock `WsAdapter`
   */
  readonly others?: WebSocketAdapter;
}

/**
 * Serves the live gateways from the live server, and all other gateways from the stock `WsAdapter`
 * or from `others`. `LiveModule` installs it if the application has set no adapter. Create it only
 * to set `others`:
 * `app.useWebSocketAdapter(new LiveWsAdapter(app, { others: new IoAdapter(app) }))`.
 */
export class LiveWsAdapter extends WsAdapter {
  /** Set once a live gateway has registered with this adapter. @internal */
  clients: LiveClients | undefined;
  /** Whether `LiveModule` installed it because the application had set no adapter. */
  private readonly isDefault: boolean;
  private readonly others: WebSocketAdapter | undefined;

  constructor(
    private readonly app: INestApplicationContext | HttpAdapterHost,
    { others }: LiveWsAdapterOptions = {},
  ) {
    super(app instanceof HttpAdapterHost ? undefined : app);
    this.isDefault = app instanceof HttpAdapterHost;
    this.others = others;
  }

  /** Whether `close` ends the connections of the other gateways; set by Nest. */
  override get forceCloseConnections(): boolean {
    return super.forceCloseConnections;
  }

  override set forceCloseConnections(value: boolean) {
    super.forceCloseConnections = value;
    if (this.others instanceof AbstractWsAdapter) this.others.forceCloseConnections = value;
  }

  /**
   * Makes the server of a gateway; called by Nest.
   *
   * @throws Error if a gateway for socket.io has no adapter
   */
  override create(port: number, options: Parameters<WsAdapter['create']>[1] = {}): unknown {
    if (options.path === liveServerMark) return (this.clients ??= new LiveClients());
    if (this.others !== undefined) return this.others.create(port, options);
    // Its clients could no longer connect if served here, without any visible reason.
    if (this.isDefault && isForSocketIo(options)) throw adapterUnsaid(port, options.path);
    // The module's constructor creates this adapter before there is an HTTP server.
    if (this.app instanceof HttpAdapterHost && !this.httpServer) {
      Object.assign(this, { httpServer: this.app.httpAdapter.getHttpServer() as unknown });
    }
    return super.create(port, options);
  }

  /** Called by Nest, once for each gateway. */
  override bindClientConnect(server: unknown, callback: (...args: unknown[]) => void): void {
    if (server instanceof LiveClients)
      server.addGateway(callback as (c: LiveConnection, r?: IncomingMessage) => void);
    else if (this.others !== undefined) this.others.bindClientConnect(server, callback);
    else super.bindClientConnect(server, callback);
  }

  /** Called by Nest, once for each connection. */
  override bindClientDisconnect(client: unknown, callback: (...args: unknown[]) => void): void {
    if (client instanceof Connection) this.clients?.bindDisconnect(client, callback);
    else if (this.others === undefined) super.bindClientDisconnect(client, callback);
    else this.others.bindClientDisconnect?.(client, callback);
  }

  /** Called by Nest, once for each connection and gateway. */
  override bindMessageHandlers(
    client: unknown,
    handlers: WsMessageHandler[],
    transform: (data: unknown) => Observable<unknown>,
  ): void {
    // The live server has handlers of its own, the same for all connections.
    if (client instanceof Connection) return;
    if (this.others === undefined) super.bindMessageHandlers(client, handlers as never, transform);
    else this.others.bindMessageHandlers(client, handlers, transform);
  }

  /** The live server drains by itself, later and in its own order. */
  override async close(server: unknown): Promise<void> {
    if (server instanceof LiveClients) return;
    if (this.others === undefined) await super.close(server);
    else await this.others.close(server);
  }

  /** Called by Nest when the application has closed. */
  override async dispose(): Promise<void> {
    await super.dispose();
    await (this.others as { dispose?: () => unknown } | undefined)?.dispose?.();
  }
}

const socketIoOptions = [
  'namespace',
  'cors',
  'transports',
  'allowEIO3',
  'serveClient',
  'connectionStateRecovery',
];

/**
 * Whether these are options for socket.io, Nest's default; `ws` gateways share a port by their
 * path.
 */
function isForSocketIo(options: object & { readonly path?: string }): boolean {
  const given = options as Readonly<Record<string, unknown>>;
  return options.path === undefined || socketIoOptions.some((name) => given[name] !== undefined);
}
