import { createClient, type RedisClientOptions } from '@redis/client';
import { joinAddress, splitAddress } from './cluster-slots.js';

type Client = ReturnType<typeof createClient>;

export interface SentinelOptions {
  /** `host:port` of each sentinel. */
  readonly addresses: readonly string[];
  /** What the sentinels call the master. */
  readonly master: string;
  readonly clientOf: (host: string, port: number) => RedisClientOptions;
}

export interface SentinelEvents {
  /** The master that was named is no longer the master, or is about to be no longer. */
  moved(error: Error): void;
  /** A sentinel cannot be asked. */
  failed(doing: string, error: unknown): void;
}

/** What a sentinel says of one server. */
type Fields = Readonly<Record<string, string | undefined>>;

/** Which server a sentinel takes for the master. */
export interface Answer {
  /** `undefined` while a fail-over has begun, and nothing is promoted. */
  readonly address: string | undefined;
  /** The configuration's epoch, which grows with each fail-over; one under way lies between two. */
  readonly rank: number;
}

/** What a fail-over adds to the rank: first there is no master, then the replica that was chosen. */
const [begun, chosen] = [0.25, 0.5];

/**
 * What sentinels announce: that one of them will promote a replica, two ticks of 50 to 100 ms before it does, by that one
 * alone; and that it is done, by all. The old master takes writes for some 11 seconds more, and throws them away.
 */
const announcements = { begun: '+elected-leader', done: '+switch-master' } as const;

/**
 * Asks sentinels for the master, and listens on all of them for the next one. Plain clients and not node-redis'
 * `createSentinel`: that one hears of a fail-over when it is over, believes the first sentinel that answers, and reconnects by
 * itself, so that nobody could say what was missed in between.
 */
export class RedisSentinels {
  private readonly clients = new Map<string, Promise<Client>>();
  private readonly open = new Set<Client>();
  private best: Answer | undefined;
  /** The master that was named. */
  private current: string | undefined;
  private closed = false;

  constructor(
    private readonly options: SentinelOptions,
    private readonly events: SentinelEvents,
  ) {}

  /**
   * `host:port` of the master, as the newest of all answers says. Each is waited for: for up to some seconds only the sentinel
   * that leads a fail-over knows of it, and it is the one that is slow then.
   */
  async master(): Promise<string> {
    const asked = await Promise.allSettled(this.options.addresses.map((address) => this.ask(address)));
    if (this.best === undefined) {
      const { reason } = asked.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
      throw new Error(`No sentinel names the master: ${messageOf(reason)}`, { cause: reason });
    }
    const { address } = this.best;
    if (address === undefined) throw new Error('The sentinels are about to promote a replica.');
    this.current = address;
    return address;
  }

  /** Asks again, also those that were away. */
  check(): void {
    for (const address of this.options.addresses)
      this.ask(address).catch((error: unknown) => {
        if (!this.closed) this.events.failed('asking a sentinel', error);
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
      this.events.moved(new Error('The sentinels make another Redis server the master.'));
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
    // node-redis goes on to connect when it is destroyed before the socket is there, and would keep it for ever.
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
 * Which server a sentinel takes for the master, as `SENTINEL MASTER` says it, and `SENTINEL REPLICAS` while it fails over. The
 * replica that was chosen counts before the fail-over ends, which is when the other replicas follow it.
 */
export function answerOf(master: Fields, replicas: readonly Fields[]): Answer {
  const rank = Number(master['config-epoch']);
  if (!isFailingOver(master)) return { address: addressOf(master), rank };
  const promoted = replicas.find(({ flags }) => flags?.includes('promoted'));
  if (promoted === undefined) return { address: undefined, rank: rank + begun };
  // Once it says that it is a master, the epoch is the new one: the next fail-over ranks above that.
  const isMaster = promoted['role-reported'] === 'master';
  return { address: addressOf(promoted), rank: isMaster ? rank : rank + chosen };
}

/** A map, as an object with RESP3 and as names and values in turn with RESP2. */
function fieldsOf(answer: unknown): Fields {
  if (!Array.isArray(answer)) return answer as Fields;
  const list = answer.map(String);
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1] ?? '']] : [])));
}

function addressOf({ ip = '', port }: Fields): string {
  return joinAddress(ip, Number(port));
}

/** An error for several addresses of one name has no words of its own, but a code. */
function messageOf(error: unknown): string {
  const { message, code } = error as Partial<NodeJS.ErrnoException>;
  return message === undefined || message === '' ? (code ?? 'unknown') : message;
}
