import { randomUUID } from 'node:crypto';
import { clusterSlots, redirectionOf, splitAddress } from './cluster-slots.js';
import { hashSlot } from './hash-slot.js';
import { latestScript, readScript, topsScript } from './read-scripts.js';
import { publishScript } from './publish-script.js';
import type { EngineEvents, EngineMemory, EngineOptions } from './redis-engine.options.js';
import { type GoneBack, type LifeRecord, RedisNode } from './redis-node.js';
import type { RedisScript } from './redis-script.js';
import { RedisSentinels } from './redis-sentinels.js';
import { OrderedRetries } from './ordered-retries.js';

const scripts = [publishScript, readScript, topsScript, latestScript];

/** Maximum redirections that one call follows. */
const maxRedirections = 5;

/**
 * All connections to one Redis, or to all masters of a cluster, treated as one: opened once, and
 * lost as soon as one of them is lost. It follows moved slots by the nodes' `MOVED` and `ASK`
 * answers.
 */
export class RedisEngine {
  private readonly nodes = new Map<string, RedisNode>();
  private readonly opening = new Map<string, Promise<RedisNode>>();
  /** Address of each slot's master; empty without a cluster. */
  private readonly slots: string[] = [];
  private only: RedisNode | undefined;
  private readonly sentinels: RedisSentinels | undefined;
  private readonly retries = new OrderedRetries();
  private readonly ttl: string;
  private closed = false;

  constructor(
    private readonly options: EngineOptions,
    private readonly memory: EngineMemory,
    private readonly events: EngineEvents,
  ) {
    this.ttl = String(options.metadataTtlMs);
    const { sentinel, onError } = options;
    if (sentinel !== undefined)
      this.sentinels = new RedisSentinels(sentinel, {
        moved: (error) => events.lost(error),
        failed: onError,
      });
  }

  get publishCommand(): 'PUBLISH' | 'SPUBLISH' {
    return this.only === undefined ? 'SPUBLISH' : 'PUBLISH';
  }

  get clustered(): boolean {
    return this.only === undefined;
  }

  async open(): Promise<void> {
    const seed = await this.firstSeed();
    if (!seed.clustered) {
      this.only = seed;
      this.events.lived((await seed.look(this.record())).life);
      return;
    }
    if (this.options.database !== 0) throw new Error('A Redis cluster only has database 0.');
    await this.readSlots(seed);
    await Promise.all([...new Set(this.slots)].map((address) => this.nodeAt(address)));
    if (!this.slots.includes(seed.address)) this.drop(seed);
  }

  /** Runs a topic script on the node that holds the keys, all of which are in one slot. */
  run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const [first = ''] = keys;
    const rest = [String(keys.length + 1), this.record(first).key, ...keys];
    const candidate = randomUUID();
    const command = (node: RedisNode, name: string, body: string): readonly string[] => [
      name,
      body,
      ...rest,
      node === this.only ? String(this.memory.life) : node.sight,
      candidate,
      this.ttl,
      ...args,
    ];
    return this.retries.run(
      () => this.send(first, (node) => command(node, 'EVALSHA', script.sha)),
      isUnknownScript,
      () => this.send(first, (node) => command(node, 'EVAL', script.lua)),
    );
  }

  /**
   * Ends the life in which topics were rolled back, unless it has ended. All their keys are in one
   * slot.
   */
  async renew(gone: GoneBack): Promise<void> {
    const [{ meta: key } = { meta: '' }] = gone.topics;
    const record = this.record(key);
    if (this.only !== undefined) this.events.lived((await this.only.look(record, '', gone)).life);
    else await this.redirected(key, (node) => node.look(record, '', gone));
  }

  async publish(channel: string, text: string): Promise<void> {
    await this.send(channel, () => [this.publishCommand, channel, text]);
  }

  subscribe(channels: readonly string[]): Promise<void> {
    return this.bySlot(channels, (node, group) => node.subscribe(group));
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.bySlot(channels, (node, group) => node.unsubscribe(group));
  }

  /**
   * Resolves once each node has proved to be a working master and has returned one of our messages.
   */
  async probe(): Promise<void> {
    const { only } = this;
    this.sentinels?.check();
    if (only !== undefined) this.events.lived((await only.probe(this.record())).life);
    else await Promise.all([...this.nodes.values()].map((node) => node.probe(undefined)));
  }

  close(): void {
    this.closed = true;
    this.sentinels?.close();
    for (const node of this.nodes.values()) node.close();
    this.nodes.clear();
  }

  private async firstSeed(): Promise<RedisNode> {
    if (this.sentinels !== undefined) return this.nodeAt(await this.sentinels.master());
    let failure: unknown;
    for (const address of new Set([...this.options.seeds, ...this.memory.nodes])) {
      try {
        return await this.nodeAt(address);
      } catch (error) {
        if (this.closed) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  private nodeAt(address: string): Promise<RedisNode> {
    const open = this.nodes.get(address);
    if (open !== undefined && !this.opening.has(address)) return Promise.resolve(open);
    let opening = this.opening.get(address);
    if (opening === undefined) {
      opening = this.openNode(address).finally(() => this.opening.delete(address));
      this.opening.set(address, opening);
    }
    return opening;
  }

  private async openNode(address: string): Promise<RedisNode> {
    if (this.closed) throw new Error('The connections to Redis are closed.');
    const [host, port] = splitAddress(address);
    const { clientOf, probeChannel } = this.options;
    const node = new RedisNode(address, clientOf(host, port), probeChannel, this.events);
    this.nodes.set(address, node);
    try {
      await node.open(scripts);
      return node;
    } catch (error) {
      this.drop(node);
      throw error;
    }
  }

  private drop(node: RedisNode): void {
    node.close();
    if (this.nodes.get(node.address) === node) this.nodes.delete(node.address);
  }

  private async readSlots(seed: RedisNode): Promise<void> {
    const { masters, named } = clusterSlots(await seed.send(['CLUSTER', 'SLOTS']), seed.address);
    this.slots.push(...masters);
    this.memory.nodes = named;
  }

  private nodeOf(key: string): Promise<RedisNode> {
    if (this.only !== undefined) return Promise.resolve(this.only);
    return this.nodeAt(this.slots[hashSlot(key)] ?? '');
  }

  private record(key = ''): LifeRecord {
    const { keys, metadataTtlMs } = this.options;
    if (this.only !== undefined) return { key: keys.life(), known: this.memory.life, metadataTtlMs };
    return { key: keys.life(hashSlot(key)), known: 0, metadataTtlMs };
  }

  private send(key: string, command: (node: RedisNode) => readonly string[]): Promise<unknown> {
    // Synchronous, so that calls keep their order.
    if (this.only !== undefined) return this.only.send(command(this.only));
    return this.redirected(key, (node, asking) =>
      asking ? node.sendAsking(command(node)) : node.send(command(node)),
    );
  }

  private async bySlot(
    channels: readonly string[],
    run: (node: RedisNode, group: readonly string[]) => Promise<void>,
  ): Promise<void> {
    if (this.only !== undefined) return run(this.only, channels);
    const groups = new Map<number, string[]>();
    for (const channel of channels) {
      const slot = hashSlot(channel);
      groups.set(slot, [...(groups.get(slot) ?? []), channel]);
    }
    await Promise.all(
      [...groups.values()].map((group) => this.redirected(group[0] ?? '', (node) => run(node, group))),
    );
  }

  /** Runs on the node that holds the key, and follows its redirections. */
  private async redirected<T>(
    key: string,
    run: (node: RedisNode, asking: boolean) => Promise<T>,
  ): Promise<T> {
    let node = await this.nodeOf(key);
    let asking = false;
    for (let left = maxRedirections; ; left--) {
      try {
        return await run(node, asking);
      } catch (error) {
        const elsewhere = redirectionOf(error, node.address);
        if (elsewhere === undefined || left === 0) throw error;
        const { address, slot } = elsewhere;
        asking = elsewhere.asking;
        if (!asking) this.slots[slot] = address;
        const known = this.nodes.has(address);
        node = await this.nodeAt(address);
        // The node may have become a replica since it was last used.
        if (known && !asking) await node.look(undefined);
      }
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
