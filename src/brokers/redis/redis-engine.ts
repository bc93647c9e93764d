import type { RedisClientOptions } from '@redis/client';
import { hashSlot, slotCount } from './hash-slot.js';
import { latestScript, readScript, topsScript } from './read-scripts.js';
import { publishScript } from './publish-script.js';
import { type NodeEvents, RedisNode } from './redis-node.js';
import type { RedisScript } from './redis-script.js';

const scripts = [publishScript, readScript, topsScript, latestScript].map(({ lua }) => lua);

/** How often a call follows a slot that has moved, before it gives up. */
const mostRedirections = 5;

/** What the engine needs to make a node of an address. */
export interface EngineOptions {
  /** `host:port`, asked in turn until one answers. */
  readonly seeds: readonly string[];
  readonly database: number;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
  readonly probeChannel: string;
}

/**
 * All connections to one Redis, or to all masters of one cluster, in one piece: opened once, and when one of them is lost
 * the engine is. It follows the slots of a cluster by what the nodes answer (`MOVED`, `ASK`).
 */
export class RedisEngine {
  private readonly nodes = new Map<string, RedisNode>();
  private readonly opening = new Map<string, Promise<RedisNode>>();
  /** Address of each slot's master; empty without a cluster. */
  private readonly slots: string[] = [];
  private only: RedisNode | undefined;
  private closed = false;

  constructor(
    private readonly options: EngineOptions,
    private readonly events: NodeEvents,
  ) {}

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
      return;
    }
    if (this.options.database !== 0) throw new Error('A Redis cluster has no database but 0.');
    await this.readSlots(seed);
    await Promise.all([...new Set(this.slots)].map((address) => this.nodeAt(address)));
    if (!this.slots.includes(seed.address)) this.drop(seed);
  }

  /** The life of the server that has this key. */
  async lifeAt(key: string): Promise<string> {
    return (await this.nodeOf(key)).life;
  }

  /** Runs a script on the node that has its keys; `args` is told the node's life. All keys have one slot. */
  async run(
    { sha, lua }: RedisScript,
    keys: readonly string[],
    args: (life: string) => readonly string[],
  ): Promise<unknown> {
    const command = (life: string, name: string, body: string) =>
      [name, body, String(keys.length), ...keys, ...args(life)] as const;
    try {
      return await this.send(keys[0] ?? '', (life) => command(life, 'EVALSHA', sha));
    } catch (error) {
      if (!startsWith(error, 'NOSCRIPT')) throw error;
      return this.send(keys[0] ?? '', (life) => command(life, 'EVAL', lua));
    }
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

  /** Resolves when each node has carried a message of ours. */
  async probe(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.probe()));
  }

  close(): void {
    this.closed = true;
    for (const node of this.nodes.values()) node.close();
    this.nodes.clear();
  }

  private async firstSeed(): Promise<RedisNode> {
    let failure: unknown;
    for (const address of this.options.seeds) {
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

  /** `CLUSTER SLOTS`: lists of first slot, last slot, master, replicas; a node is host, port, … */
  private async readSlots(seed: RedisNode): Promise<void> {
    const ranges = (await seed.send(['CLUSTER', 'SLOTS'])) as [number, number, [string | null, number]][];
    for (const [first, last, [host, port]] of ranges) {
      const address = joinAddress(host || splitAddress(seed.address)[0], port);
      for (let slot = first; slot <= last; slot++) this.slots[slot] = address;
    }
    for (let slot = 0; slot < slotCount; slot++)
      if (this.slots[slot] === undefined) throw new Error('The Redis cluster does not cover all slots.');
  }

  private nodeOf(key: string): Promise<RedisNode> {
    if (this.only !== undefined) return Promise.resolve(this.only);
    return this.nodeAt(this.slots[hashSlot(key)] ?? '');
  }

  private send(key: string, command: (life: string) => readonly string[]): Promise<unknown> {
    // Without a step in between, so that calls keep their order.
    if (this.only !== undefined) return this.only.send(command(this.only.life));
    return this.redirected(key, (node, asking) =>
      asking ? node.sendAsking(command(node.life)) : node.send(command(node.life)),
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

  /** Runs where the key is now, and learns from the nodes' answers where it has gone. */
  private async redirected<T>(
    key: string,
    run: (node: RedisNode, asking: boolean) => Promise<T>,
  ): Promise<T> {
    let node = await this.nodeOf(key);
    let asking = false;
    for (let left = mostRedirections; ; left--) {
      try {
        return await run(node, asking);
      } catch (error) {
        const [, word, slot, host, port] = redirection.exec(String((error as Error).message)) ?? [];
        if (word === undefined || left === 0) throw error;
        const address = joinAddress(host || splitAddress(node.address)[0], Number(port));
        asking = word === 'ASK';
        if (!asking) this.slots[Number(slot)] = address;
        node = await this.nodeAt(address);
      }
    }
  }
}

const redirection = /^(MOVED|ASK) (\d+) (.*):(\d+)$/;

function startsWith(error: unknown, word: string): boolean {
  return error instanceof Error && error.message.startsWith(word);
}

export function joinAddress(host: string, port: number): string {
  return `${host}:${String(port)}`;
}

function splitAddress(address: string): [string, number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}
