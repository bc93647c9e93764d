import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { maxHandshakeHeaders } from './handshake.js';
import { plainAddress } from './ip-address.js';
import { type ProxiedSockets, unreadProxyProtocol } from './proxied-sockets.js';
import { Refusal, refuse, respond } from './refusal.js';
import { pathFailure, removeStaleSocket } from './unix-socket.js';
import { SilentSockets } from './silent-sockets.js';

/**
 * Handles an upgrade. `unfinishedResponse` is true if an earlier request on the socket awaits its
 * answer.
 */
export type TakeUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  unfinishedResponse: boolean,
) => void;

/** Timeouts of the live server's own HTTP server, in milliseconds, named as in Node. */
export interface HttpLimits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
  readonly keepAliveTimeout: number;
}

/** Receives the traffic that never becomes a handshake. */
export interface HttpServerHooks {
  /** Handles a plain request; returns whether it was answered. */
  takeRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** Anything else was refused, for example by Node's parser. `address` is the socket's. */
  refused(refusal: Refusal, address: string): void;
  /** A socket that had sent nothing was closed to make room for a newer one. */
  droppedSilent(): void;
}

export const noHooks: HttpServerHooks = { takeRequest: () => false, refused() {}, droppedSilent() {} };

/** Close the sockets of slow or silent peers; see the limits in SECURITY.md. */
const httpLimits: HttpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 5_000,
};

const backlog = 4_096;

/** Milliseconds between attempts to bind a port that is in use. */
const retryMs = 100;

/** The live server's own HTTP server. It handles upgrades and answers everything else with 404. */
export class LiveHttpServer {
  private readonly server: Server;

  constructor(
    takeUpgrade: TakeUpgrade,
    hooks: HttpServerHooks = noHooks,
    private readonly proxied?: ProxiedSockets,
    limits: HttpLimits = httpLimits,
    silent = new SilentSockets(),
  ) {
    silent.onDropped = () => hooks.droppedSilent();
    const responses = new UnfinishedResponses();
    this.server = createServer({ ...limits }, (request, response) => {
      silent.asked(request.socket);
      responses.note(request, response);
      if (hooks.takeRequest(request, response)) return;
      const refusal = new Refusal(404, 'Only WebSocket upgrades are served here');
      hooks.refused(refusal, plainAddress(request.socket.remoteAddress));
      respond(response, refusal);
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (!socket.writable) {
        socket.destroy();
        return;
      }
      const refusal = unreadProxyProtocol(error) ?? parserRefusal(error);
      hooks.refused(refusal, plainAddress((socket as Socket).remoteAddress));
      refuse(socket, refusal);
    });
    this.server.on('connection', silent.connected);
    proxied?.attach(this.server);
    this.server.maxHeadersCount = 2 * maxHandshakeHeaders;
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      silent.asked(socket);
      takeUpgrade(request, socket, head, responses.has(socket));
    });
  }

  /**
   * Resolves once the port is bound. Rejects with an error that names the host and the port if it
   * cannot bind.
   *
   * @param patienceMs - how long to retry a port that is in use, in milliseconds: a previous
   *   process may still be draining
   */
  async listen(port: number, host: string, patienceMs = 0): Promise<AddressInfo> {
    await this.listenAt({ port, host }, (error) => listenFailure(port, host, error), patienceMs);
    return this.server.address() as AddressInfo;
  }

  /**
   * Removes the socket file of a dead process and resolves once the Unix socket is bound. Rejects
   * with an error that names the path if it cannot bind.
   *
   * @param patienceMs - as for `listen`
   */
  async listenAtPath(path: string, patienceMs = 0): Promise<void> {
    await removeStaleSocket(path);
    await this.listenAt({ path }, (error) => pathFailure(path, error), patienceMs);
  }

  private async listenAt(
    where: ListenOptions,
    describe: (error: NodeJS.ErrnoException) => string,
    patienceMs: number,
  ): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.tryToListen(where);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EADDRINUSE' || performance.now() >= untilMs)
          throw new Error(describe(error as NodeJS.ErrnoException), { cause: error });
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  private tryToListen(where: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        this.server.off('listening', bound);
        reject(error);
      };
      const bound = (): void => {
        this.server.off('error', failed);
        resolve();
      };
      this.server.once('error', failed).once('listening', bound);
      this.server.listen({ ...where, backlog });
    });
  }

  /**
   * Stops listening and closes all sockets except WebSockets. Resolves once every socket is closed.
   */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.proxied?.close();
      this.server.closeAllConnections();
    });
  }
}

/**
 * Tracks the sockets that still owe an HTTP response. One written after the 101 would corrupt the
 * WebSocket's stream.
 */
export class UnfinishedResponses {
  private readonly last = new WeakMap<Duplex, ServerResponse>();

  note(request: IncomingMessage, response: ServerResponse): void {
    this.last.set(request.socket, response);
  }

  has(socket: Duplex): boolean {
    const response = this.last.get(socket);
    return response !== undefined && !response.writableFinished;
  }
}

/** Answers a request that Node's parser rejects like any other refusal. [L-1.4] */
function parserRefusal({ code }: NodeJS.ErrnoException): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Refusal(408, 'The request did not arrive in time');
  if (code === 'HPE_HEADER_OVERFLOW') return new Refusal(431, 'The headers are too large');
  return new Refusal(400, 'Not a valid HTTP/1.1 request');
}

function listenFailure(port: number, host: string, error: NodeJS.ErrnoException): string {
  const where = `${host}:${String(port)}`;
  if (error.code === 'EADDRINUSE') {
    return (
      `The live server cannot listen on ${where}: the port is in use. The same application may be running already. Choose ` +
      `another "port"; in tests write port: 0 for a free one, or port: 'app' to share the application's own server.`
    );
  }
  return `The live server cannot listen on ${where}: ${error.code ?? error.message}. Check "host" and "port".`;
}
