import type { Position } from '../../protocol/position.js';
import type { Received } from '../live-test-client.js';
import type { Participant, Surroundings } from './participant.js';
import type { SimLink } from './sim-link.js';
import type { Grant, OddRequest } from './step.js';

/** Requests that break the protocol, each in its own way, and a valid one. */
const oddRequests: Readonly<Record<OddRequest, object | string>> = {
  ping: { type: 'ping' },
  'no-json': '{"type":"subscribe"',
  'bad-topic': { type: 'subscribe', topic: 'a//b', odd: true },
  'bad-since': { type: 'subscribe', topic: 'ring', since: { epoch: 'e', offset: -1 }, odd: true },
  'unknown-type': { type: 'dance', odd: true },
  'no-data': { type: 'publish', topic: 'ring', odd: true },
};

const everything: Grant = { rights: 2 ** 31 - 1 };

/**
 * Speaks the bare protocol as impatiently as its steps demand, and connects when it has something
 * to send.
 */
export class WirePeer implements Participant {
  link: SimLink | undefined;
  private opened = false;
  private readonly unsent: string[] = [];
  private readonly positions = new Map<string, Position>();
  private lastId = 0;
  private connections = 0;

  constructor(
    private readonly name: string,
    readonly userId: string,
    private readonly world: Surroundings,
  ) {}

  connect(grant: Grant): void {
    this.leave();
    const token = this.world.issue(this.userId, grant);
    const current = (): boolean => this.link === link;
    const link = this.world.dial(`${this.name}.${String(++this.connections)}`, token, {
      opened: () => {
        if (!current()) return;
        this.opened = true;
        for (const text of this.unsent.splice(0)) link.send(text);
      },
      message: (text) => this.see(JSON.parse(text) as Received),
      closed: () => {
        if (current()) this.link = undefined;
      },
    });
    this.link = link;
  }

  subscribe(topic: string, since: Position | undefined): void {
    this.request({ type: 'subscribe', topic, ...(since && { since }) });
  }

  unsubscribe(topic: string): void {
    this.request({ type: 'unsubscribe', topic });
  }

  publish(topic: string, data: unknown, key: string | undefined): void {
    const remove = data === undefined && { remove: true };
    this.request({ type: 'publish', topic, data, ...(key !== undefined && { key }), ...remove });
  }

  renew(grant: Grant, whose: 'own' | 'another' | 'nobody'): void {
    const userId = whose === 'own' ? this.userId : 'u99';
    this.request({ type: 'auth', token: whose === 'nobody' ? 'nonsense' : this.world.issue(userId, grant) });
  }

  odd(what: OddRequest): void {
    const request = oddRequests[what];
    if (typeof request === 'string') this.send(request);
    else this.request(request);
  }

  online(): void {}

  leave(): void {
    this.link?.leave();
    this.link = undefined;
    this.opened = false;
    this.unsent.length = 0;
  }

  position(topic: string): Position | undefined {
    return this.positions.get(topic);
  }

  checkAtRest(): void {}

  private request(message: object): void {
    this.send(JSON.stringify({ ...message, id: ++this.lastId }));
  }

  private send(text: string): void {
    if (this.link === undefined) this.connect(everything);
    if (this.opened) this.link?.send(text);
    else this.unsent.push(text);
  }

  private see({ type, topic, epoch, offset }: Received): void {
    if (typeof topic !== 'string') return;
    if (type === 'subscribed') this.positions.set(topic, { epoch: String(epoch), offset: Number(offset) });
    const at = this.positions.get(topic);
    if (type === 'event' && at) this.positions.set(topic, { epoch: at.epoch, offset: Number(offset) });
  }
}
