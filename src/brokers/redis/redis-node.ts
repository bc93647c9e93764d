import type { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { createClient, type RedisClientOptions } from '@redis/client';
import { type LifeAnswer, lifeAnswer, lifeScript } from './life-script.js';
import type { RedisScript } from './redis-script.js';

type Client = ReturnType<typeof createClient>;

/** Events of a node; no handler throws. */
export interface NodeEvents {
  message(channel: string, bytes: Buffer): void;
  /** A message arrived that no instance sends. */
  junk(): void;
  /** The server reads no argument that has more bytes. Not called where it does not say so. */
  limited(bytes: number): void;
  /** The channel's slot moved to another node of the cluster, along with its subscription. */
  moved(channel: string): void;
  /** A connection of an open node has ended for good. */
  lost(error: Error): void;
}

/** The key of a node's life record, and the life that this instance knows. */
export interface LifeRecord {
  readonly key: string;
  readonly known: number;
  readonly metadataTtlMs: number;
}

/** Topics whose store ends before the position already seen. */
export interface GoneBack {
  /** The life in which the rollback was found, and which must end; 0 ends none. */
  readonly life: number;
  /** Each topic is lost, unless its epoch has changed since. */
  readonly topics: readonly { readonly meta: string; readonly epoch: string }[];
}

const noneGone: GoneBack = { life: 0, topics: [] };

/**
 * One server: one connection for commands and one for messages. Opened once, and replaced after a
 * loss.
 */
export class RedisNode {
  /** State of the server at the last probe: `run_id` and `master_replid2`. */
  sight = '';
  /** Whether the server is part of a cluster. */
  clustered = false;
  private readonly commands: Client;
  private readonly subscriber: Client;
  private probed = { text: '', seen: (): void => {} };
  /** Handles the end of a connection: rejects `open` first, and reports the loss later. */
  private ended: (error: Error) => void = () => {};
  private closed = false;
  private replid = '';

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

  /** Rejects if the server cannot be reached, refuses, is loading its data, or is not a master. */
  async open(scripts: readonly RedisScript[]): Promise<void> {
    const broken = new Promise<never>((_resolve, reject) => {
      this.ended = reject;
    });
    await Promise.race([this.bring(scripts), broken]);
    this.ended = (error) => this.events.lost(error);
  }

  send(command: readonly string[]): Promise<unknown> {
    return this.commands.sendCommand([...command]);
  }

  /** `ASKING` only affects the next command of its connection. */
  sendAsking(command: readonly string[]): Promise<unknown> {
    this.commands.sendCommand(['ASKING']).catch(() => {});
    return this.send(command);
  }

  /** In a cluster all channels of one call are in one slot. */
  async subscribe(channels: readonly string[]): Promise<void> {
    if (this.clustered) await this.subscriber.sSubscribe([...channels], this.message, true);
    else await this.subscriber.subscribe([...channels], this.message, true);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    if (this.clustered) await this.subscriber.sUnsubscribe([...channels]);
    else await this.subscriber.unsubscribe([...channels]);
  }

  /**
   * Resolves once a working master has compared its life and a message has returned on the other
   * connection.
   */
  async probe(record: LifeRecord | undefined): Promise<LifeAnswer> {
    const text = String(Number(this.probed.text) + 1);
    const seen = new Promise<void>((resolve) => {
      this.probed = { text, seen: resolve };
    });
    const answer = await this.look(record, text);
    await seen;
    return answer;
  }

  /**
   * Runs the life script, which starts a new life after a possible rollback, or if the current one
   * must end.
   */
  async look(record: LifeRecord | undefined, text = '', gone: GoneBack = noneGone): Promise<LifeAnswer> {
    const { key, known = 0, metadataTtlMs = 0 } = record ?? {};
    const args = [randomUUID(), metadataTtlMs, this.probeChannel, text, this.replid, known, gone.life].map(
      String,
    );
    const keys = key === undefined ? [] : [key, ...gone.topics.map(({ meta }) => meta)];
    const epochs = gone.topics.map(({ epoch }) => epoch);
    const answer = lifeAnswer(await this.run(lifeScript, keys, [...args, ...epochs]));
    this.replid = answer.replid;
    this.sight = answer.sight;
    return answer;
  }

  close(): void {
    this.closed = true;
    this.commands.destroy();
    this.subscriber.destroy();
  }

  private async bring(scripts: readonly RedisScript[]): Promise<void> {
    await Promise.all([this.commands.connect(), this.subscriber.connect()]);
    const [info, other] = await Promise.all([this.info(this.commands), this.info(this.subscriber)]);
    this.clustered = info('redis_mode') === 'cluster';
    if (info('redis_mode') === 'sentinel')
      throw new Error('This is a Redis Sentinel: use redis+sentinel://host:26379/master-name.');
    if (info('loading') === '1') throw new Error('Redis is still loading its data.');
    if (info('role') === 'slave' && !this.clustered)
      throw new Error('This Redis is a replica, which does not accept publications.');
    if (info('run_id') !== other('run_id'))
      throw new Error('The two connections to Redis reached different servers.');
    // Running a script also loads it, without the permission for SCRIPT LOAD.
    await Promise.all([
      this.readLimit(),
      ...scripts.map(({ lua }) => this.commands.sendCommand(['EVAL', lua, '0'])),
    ]);
    if (this.clustered && info('role') !== 'slave') await this.look(undefined);
    await this.subscriber.subscribe(this.probeChannel, (bytes) => this.probeSeen(bytes), true);
  }

  private async info(client: Client): Promise<(field: string) => string | undefined> {
    const text = String(await client.sendCommand(['INFO']));
    return (field) => new RegExp(`^${field}:([^\\r\\n]*)`, 'm').exec(text)?.[1];
  }

  /**
   * Asked first, because Redis closes the connection on a larger argument, and its answer is then
   * often lost. The permission for `CONFIG GET` is optional.
   */
  private async readLimit(): Promise<void> {
    const name = 'proto-max-bulk-len';
    const bytes = Number((await this.commands.configGet(name).catch(() => undefined))?.[name]);
    if (bytes > 0) this.events.limited(bytes);
  }

  private async run({ sha, lua }: RedisScript, keys: readonly string[], args: readonly string[]) {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(['EVALSHA', sha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.send(['EVAL', lua, ...rest]);
    }
  }

  private client(options: RedisClientOptions): Client {
    const client = createClient(options as Parameters<typeof createClient>[0]) as Client;
    const lost = (error: Error): void => {
      if (this.closed) return;
      this.closed = true;
      this.ended(error);
    };
    client.on('error', lost);
    // node-redis keeps connecting if destroyed before its socket exists, and would leak the socket.
    client.on('connect', () => {
      if (this.closed) client.destroy();
    });
    client.on('end', () => lost(new Error('Redis closed the connection.')));
    return client;
  }

  private readonly message = (bytes: Buffer, channel: Buffer): void =>
    this.events.message(channel.toString('latin1'), bytes);

  private probeSeen(bytes: Buffer): void {
    const text = bytes.toString('latin1', 0, 32);
    // In a cluster the probes of the other nodes also arrive here.
    if (!/^\d{1,16}$/.test(text)) this.events.junk();
    else if (text === this.probed.text) this.probed.seen();
  }
}
