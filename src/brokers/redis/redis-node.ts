import type { Buffer } from 'node:buffer';
import { createClient, type RedisClientOptions } from '@redis/client';
import { lifeOf } from './server-life.js';

type Client = ReturnType<typeof createClient>;

/** What a node tells; no member throws. */
export interface NodeEvents {
  message(channel: string, bytes: Buffer): void;
  /** Something came in that no instance sends. */
  junk(): void;
  /** The channel's slot has gone to another node of the cluster, and its subscription with it. */
  moved(channel: string): void;
  /** A connection of a node that was open has ended. It does not come back by itself. */
  lost(error: Error): void;
}

/** One server: a connection for commands and one for what is published. Opened once; what is lost is made anew. */
export class RedisNode {
  /** Names this life of the server; see `lifeOf`. */
  life = '';
  /** Whether the server is a part of a cluster. */
  clustered = false;
  private readonly commands: Client;
  private readonly subscriber: Client;
  private probed = { text: '', seen: (): void => {} };
  /** What becomes of a connection's end: `open` rejects first, then it is told. */
  private ended: (error: Error) => void = () => {};
  private closed = false;

  constructor(
    readonly address: string,
    options: RedisClientOptions,
    private readonly probeChannel: string,
    private readonly events: NodeEvents,
  ) {
    this.commands = this.client(options);
    this.subscriber = this.client(options);
    this.subscriber.on('sharded-channel-moved', (channel: string) => events.moved(channel));
  }

  /** Rejects when the server is not there, refuses, is still loading its data, or is a replica. */
  async open(scripts: readonly string[]): Promise<void> {
    const broken = new Promise<never>((_resolve, reject) => {
      this.ended = reject;
    });
    await Promise.race([this.bring(scripts), broken]);
    this.ended = (error) => this.events.lost(error);
  }

  send(command: readonly string[]): Promise<unknown> {
    return this.commands.sendCommand([...command]);
  }

  /** `ASKING` holds for the next command of its connection alone. */
  sendAsking(command: readonly string[]): Promise<unknown> {
    this.commands.sendCommand(['ASKING']).catch(() => {});
    return this.send(command);
  }

  /** On a cluster all channels of one call have one slot. */
  async subscribe(channels: readonly string[]): Promise<void> {
    if (this.clustered) await this.subscriber.sSubscribe([...channels], this.message, true);
    else await this.subscriber.subscribe([...channels], this.message, true);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    if (this.clustered) await this.subscriber.sUnsubscribe([...channels]);
    else await this.subscriber.unsubscribe([...channels]);
  }

  /** Resolves when a message has gone out on one connection and come back on the other. */
  async probe(): Promise<void> {
    const text = String(Number(this.probed.text) + 1);
    const seen = new Promise<void>((resolve) => {
      this.probed = { text, seen: resolve };
    });
    await this.send(['PUBLISH', this.probeChannel, text]);
    await seen;
  }

  close(): void {
    this.closed = true;
    this.commands.destroy();
    this.subscriber.destroy();
  }

  private async bring(scripts: readonly string[]): Promise<void> {
    await Promise.all([this.commands.connect(), this.subscriber.connect()]);
    const info = String(await this.commands.sendCommand(['INFO']));
    this.life = lifeOf(info);
    this.clustered = /^redis_mode:cluster\r?$/m.test(info);
    if (!this.clustered && /^role:slave\r?$/m.test(info))
      throw new Error('This Redis is a replica, which takes no publications.');
    // Who may not load scripts may still run them: each is sent in full when the server does not know it.
    const load = (lua: string) => this.commands.sendCommand(['SCRIPT', 'LOAD', lua]).catch(() => {});
    await Promise.all(scripts.map(load));
    await this.subscriber.subscribe(this.probeChannel, (bytes) => this.probeSeen(bytes), true);
  }

  private client(options: RedisClientOptions): Client {
    const client = createClient(options as Parameters<typeof createClient>[0]) as Client;
    const lost = (error: Error): void => {
      if (this.closed) return;
      this.closed = true;
      this.ended(error);
    };
    client.on('error', lost);
    // node-redis goes on to connect when it is destroyed before the socket is there, and would keep it for ever.
    client.on('connect', () => {
      if (this.closed) client.destroy();
    });
    client.on('end', () => lost(new Error('Redis has closed the connection.')));
    return client;
  }

  private readonly message = (bytes: Buffer, channel: Buffer): void =>
    this.events.message(channel.toString('latin1'), bytes);

  private probeSeen(bytes: Buffer): void {
    const text = bytes.toString('latin1', 0, 32);
    // On a cluster the probes of the other nodes come here, too.
    if (!/^\d{1,16}$/.test(text)) this.events.junk();
    else if (text === this.probed.text) this.probed.seen();
  }
}
