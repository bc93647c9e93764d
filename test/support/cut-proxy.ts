import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A TCP proxy between one client and a server. A cut resets both ends and blocks new connections.
 */
export class CutProxy {
  private readonly sockets = new Set<Socket>();
  /** The first bytes of each client, and the server socket it is joined with. */
  private readonly joined = new Map<Socket, { said: string; forgotten: boolean; readonly server: Socket }>();
  private heard = 0;
  private lost = 0;
  private held = false;

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {
    server.on('connection', (client: Socket) => this.join(client));
  }

  static async to(url: string): Promise<CutProxy> {
    const server = createServer();
    await new Promise<void>((listening) => {
      server.listen(0, '127.0.0.1', listening);
    });
    return new CutProxy(server, Number(new URL(url).port));
  }

  /** The URL through this proxy. */
  through(url: string): string {
    const through = new URL(url);
    through.port = String((this.server.address() as AddressInfo).port);
    return through.href;
  }

  /** Blocks new connections and keeps the existing ones. */
  hold(): void {
    this.held = true;
  }

  cut(): void {
    this.hold();
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /**
   * Stops delivering to every client that has sent `words`, and keeps the connections open: neither
   * side notices. Returns the number of those clients.
   */
  wedge(words: string): number {
    const wedged = [...this.joined].filter(([, { said }]) => said.includes(words));
    for (const [client, { server }] of wedged) server.unpipe(client).pause();
    return wedged.length;
  }

  /**
   * Discards everything on the existing connections, in both directions. Neither side notices, even
   * if the other one closes.
   */
  forget(): void {
    for (const [client, join] of this.joined) {
      join.forgotten = true;
      for (const [one, other] of [
        [client, join.server],
        [join.server, client],
      ] as const)
        one.unpipe(other).resume();
    }
  }

  /** The number of delivered client messages, counted as chunks that begin with a text frame. */
  get messages(): number {
    return this.heard;
  }

  /** The number of client messages on connections after `forget`. */
  get unheard(): number {
    return this.lost;
  }

  heal(): void {
    this.held = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(client: Socket): void {
    if (this.held) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.port, '127.0.0.1');
    const join = { said: '', forgotten: false, server };
    this.joined.set(client, join);
    client.on('close', () => this.joined.delete(client));
    client.on('data', (chunk: Buffer) => {
      if (chunk[0] === 0x81 && join.forgotten) this.lost += 1;
      else if (chunk[0] === 0x81) this.heard += 1;
      if (join.said.length < 4_096) join.said += chunk.toString('latin1');
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.sockets.delete(one);
        if (!join.forgotten) other.destroy();
      });
      one.pipe(other);
    }
  }
}
