import { createClient, type RedisClientOptions } from '@redis/client';
import { joinAddress, splitAddress } from './cluster-slots.js';

type Client = ReturnType<typeof createClient>;

export interface SentinelOptions {
  /** `host:port` of each sentinel. */
  readonly addresses: readonly string[];
  /** The sentinels' name for the master. */
  readonly master: string;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
}

export interface SentinelEvents {
  /** The named master is no longer the master, or will soon not be. */
  moved(error: Error): void;
  /** A sentinel cannot be reached. */
  failed(doing: string, error: unknown): void;
}

/** The fields that a sentinel reports for one server. */
type Fields = Readonly<Record<string, string | undefined>>;

/** The server that a sentinel considers the master. */
export interface Answer {
  /** `undefined` while a failover has begun and no replica is promoted yet. */
  readonly address: string | undefined;
  /**
   * The configuration epoch, which grows with each failover; a failover in progress ranks in
   * between.
   */
  readonly rank: number;
}

/** Added to the rank during a failover: first without a master, then with the chosen replica. */
const [begun, chosen] = [0.25, 0.5];

/**
 * Announcements of sentinels: the leader alone announces a promotion 100 to 200 ms ahead, and all
 * announce its end. The old master accepts writes for about 11 more seconds and then discards them.
 */
const announcements = { begun: '+elected-leader', done: '+switch-master' } as const;

/**
 * Queries sentinels for the master and subscribes to all of them for the next one. It does not use
 * `createSentinel` of node-redis, which learns of a failover only at its end, trusts the first
 * sentinel that answers, and reconnects by itself, so the gap would go unreported.
 */
export class RedisSentinels {
  private readonly clients = new Map<string, Promise<Client>>();
  private readonly open = new Set<Client>();
  private best: Answer | undefined;
  /** The master that was returned. */
  private current: string | undefined;
  private closed = false;

  constructor(
    private readonly options: SentinelOptions,
    private readonly events: SentinelEvents,
  ) {}

  /**
   * `host:port` of the master by the newest answer. Waits for every sentinel, because for some
   * seconds only the leader of a failover knows of it, and the leader is the slow one then.
   */
  async master(): Promise<string> {
    const asked = await Promise.allSettled(this.options.addresses.map((address) => this.ask(address)));
    if (this.best === undefined) {
      const { reason } = asked.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
      throw new Error(`No sentinel names the master: ${messageOf(reason)}`, { cause: reason });
    }
    const { address } = this.best;
    if (address === undefined) throw new Error('The sentinels are promoting a replica.');
    this.current = address;
    return address;
  }

  /** Queries all sentinels again, including those that were away. */
  check(): void {
    for (const address of this.options.addresses)
      this.ask(address).catch((error: unknown) => {
        if (!this.closed) this.events.failed('querying a sentinel', error);
      });
  }

  close(): void {
    this.closed = true;
    for (const client of this.open) client.destroy();
    this.open.clear();
  }

  private async ask(address: string): Promise<void> {
    let connecting = this.clients.get(address);
    if (connecting === undefined) {
      connecting = this.connect(address);
      this.clients.set(address, connecting);
    }
    this.heard(await this.answer(await connecting));
  }

  private async answer(client: Client): Promise<Answer> {
    const { master } = this.options;
    const fields = fieldsOf(await client.sendCommand(['SENTINEL', 'MASTER', master]));
    if (!isFailingOver(fields)) return answerOf(fields, []);
    const replicas = (await client.sendCommand(['SENTINEL', 'REPLICAS', master])) as unknown as unknown[];
    return answerOf(fields, replicas.map(fieldsOf));
  }

  private announced(channel: string, text: string): void {
    const words = text.split(' ');
    const rank = Math.floor(this.best?.rank ?? 0);
    if (channel === announcements.begun) {
      // "master <name> <host> <port>"
      if (words[1] === this.options.master) this.heard({ address: undefined, rank: rank + begun });
      return;
    }
    // "<name> <host> <port> <new host> <new port>"
    const [master, , , host = '', port] = words;
    const address = joinAddress(host, Number(port));
    if (master === this.options.master && address !== this.best?.address)
      this.heard({ address, rank: rank + chosen });
  }

  private heard(answer: Answer): void {
    if (this.closed || (this.best !== undefined && answer.rank <= this.best.rank)) return;
    this.best = answer;
    if (this.current !== undefined && answer.address !== this.current)
      this.events.moved(new Error('The sentinels promoted another Redis server.'));
  }

  private async connect(address: string): Promise<Client> {
    const client = createClient(this.options.clientOf(...splitAddress(address))) as unknown as Client;
    const gone = (): void => {
      if (!this.open.delete(client)) return;
      this.clients.delete(address);
      client.destroy();
    };
    this.open.add(client);
    client.on('error', gone);
    client.on('end', gone);
    // node-redis keeps connecting if destroyed before its socket exists, and would leak the socket.
    client.on('connect', () => {
      if (this.closed) client.destroy();
    });
    try {
      await client.connect();
      await client.subscribe(Object.values(announcements), (text, channel) => this.announced(channel, text));
      return client;
    } catch (error) {
      gone();
      throw error;
    }
  }
}

function isFailingOver({ flags }: Fields): boolean {
  return flags?.includes('failover_in_progress') === true;
}

/**
 * Reads the master from `SENTINEL MASTER` and, during a failover, `SENTINEL REPLICAS`. The chosen
 * replica counts before the failover ends, because the other replicas follow it only then.
 */
export function answerOf(master: Fields, replicas: readonly Fields[]): Answer {
  const rank = Number(master['config-epoch']);
  if (!isFailingOver(master)) return { address: addressOf(master), rank };
  const promoted = replicas.find(({ flags }) => flags?.includes('promoted'));
  if (promoted === undefined) return { address: undefined, rank: rank + begun };
  // Once the replica reports itself as master, the epoch is the new one, and the next failover
  // ranks above it.
  const isMaster = promoted['role-reported'] === 'master';
  return { address: addressOf(promoted), rank: isMaster ? rank : rank + chosen };
}

/** Converts a map: an object with RESP3, alternating names and values with RESP2. */
function fieldsOf(answer: unknown): Fields {
  if (!Array.isArray(answer)) return answer as Fields;
  const list = answer.map(String);
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1] ?? '']] : [])));
}

function addressOf({ ip = '', port }: Fields): string {
  return joinAddress(ip, Number(port));
}

/** An error for several addresses of one name has no message, only a code. */
function messageOf(error: unknown): string {
  const { message, code } = error as Partial<NodeJS.ErrnoException>;
  return message === undefined || message === '' ? (code ?? 'unknown') : message;
}
