import type { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { createClient, type RedisClientOptions } from '@redis/client';
import { type LifeAnswer, lifeAnswer, lifeScript } from './life-script.js';
import type { RedisScript } from './redis-script.js';

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

/** Where a node's life is recorded, and what the instance knows of it. */
export interface LifeRecord {
  readonly key: string;
  readonly known: number;
  readonly metadataTtlMs: number;
}

/** Topics whose store ends before what was seen of them. */
export interface GoneBack {
  /** The life in which that was found, which ends; 0 ends none. */
  readonly life: number;
  /** Lost, unless they have another epoch by now. */
  readonly topics: readonly { readonly meta: string; readonly epoch: string }[];
}

const noneGone: GoneBack = { life: 0, topics: [] };

/** One server: a connection for commands and one for what is published. Opened once; what is lost is made anew. */
export class RedisNode {
  /** What the last probe has seen of the server: `run_id` and `master_replid2`. */
  sight = '';
  /** Whether the server is a part of a cluster. */
  clustered = false;
  private readonly commands: Client;
  private readonly subscriber: Client;
  private probed = { text: '', seen: (): void => {} };
  /** What becomes of a connection's end: `open` rejects first, then it is told. */
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

  /** Rejects when the server is not there, refuses, is still loading its data, or is no master. */
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

  /** Resolves when a working master has compared its life, and a message has come back on the other connection. */
  async probe(record: LifeRecord | undefined): Promise<LifeAnswer> {
    const text = String(Number(this.probed.text) + 1);
    const seen = new Promise<void>((resolve) => {
      this.probed = { text, seen: resolve };
    });
    const answer = await this.look(record, text);
    await seen;
    return answer;
  }

  /** Runs the life script, which makes a new life where the store may have gone back, or where one must end. */
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
      throw new Error('This is a Redis Sentinel: write redis+sentinel://host:26379/name-of-the-master.');
    if (info('loading') === '1') throw new Error('Redis is still loading its data.');
    if (info('role') === 'slave' && !this.clustered)
      throw new Error('This Redis is a replica, which takes no publications.');
    if (info('run_id') !== other('run_id'))
      throw new Error('The two connections to Redis have come to two servers.');
    // Whoever may run scripts may load them so, also without the right to SCRIPT LOAD.
    await Promise.all(scripts.map(({ lua }) => this.commands.sendCommand(['EVAL', lua, '0'])));
    if (this.clustered && info('role') !== 'slave') await this.look(undefined);
    await this.subscriber.subscribe(this.probeChannel, (bytes) => this.probeSeen(bytes), true);
  }

  private async info(client: Client): Promise<(field: string) => string | undefined> {
    const text = String(await client.sendCommand(['INFO']));
    return (field) => new RegExp(`^${field}:([^\\r\\n]*)`, 'm').exec(text)?.[1];
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
