import type { Position } from '../../protocol/position.js';
import type { Received } from '../live-test-client.js';
import type { Fault, Tell } from './faults.js';

/** Returns the publication at a position; `undefined` if there is none. */
export type FindPublished = (topic: string, position: Position) => ToBePublished | undefined;

/** The content of a publication; the text of a removal is ignored. */
export interface ToBePublished {
  /** JSON text. */
  readonly text: string;
  /** The entity that it is about. */
  readonly key?: string | undefined;
  /** Set for the removal of a key. */
  readonly removed?: true | undefined;
}

/**
 * Reads the messages to one connection in order, as a client would, and reports events out of
 * order, without a subscription, or different from their publication.
 */
export class DeliveryChecker {
  private readonly positions = new Map<string, Position>();

  constructor(
    private readonly tell: Tell,
    private readonly find?: FindPublished,
  ) {}

  /** The position in each subscribed topic. */
  get subscribed(): ReadonlyMap<string, Position> {
    return this.positions;
  }

  take(message: Received): void {
    const { type, topic } = message;
    if (typeof topic !== 'string') return;
    if (type === 'subscribed') this.positions.set(topic, positionOf(message));
    else if (type === 'event') this.event(topic, message);
    else if (type === 'lost') this.lost(topic, message);
    else if (type === 'unsubscribed') this.positions.delete(topic);
  }

  /** Handles a refused subscribe, which also ended the previous subscription. [L-3.5] */
  refused(topic: string): void {
    this.positions.delete(topic);
  }

  private event(topic: string, message: Received): void {
    const at = this.positions.get(topic);
    const { offset } = positionOf(message);
    const from = typeof message['from'] === 'number' ? message['from'] : offset;
    if (at === undefined) {
      this.tell('unsubscribed', `event ${String(offset)} of ${topic} without a subscription`);
      return;
    }
    if (from !== at.offset + 1)
      this.tell('order', `event ${String(from)} of ${topic} after ${String(at.offset)}`);
    const position = { epoch: at.epoch, offset };
    this.positions.set(topic, position);
    if (this.find === undefined) return;
    const published = this.find(topic, position);
    const { data, key, removed } = message;
    if (!isSaidBy(published, { data, key, removed }))
      this.tell('data', `event ${String(offset)} of ${topic} is not what was published there`);
  }

  private lost(topic: string, { from, to }: Received): void {
    const at = this.positions.get(topic);
    if (at === undefined || from !== at.offset + 1 || typeof to !== 'number')
      this.tell('order', `lost ${String(from)} of ${topic} after ${String(at?.offset)}`);
    else this.positions.set(topic, { epoch: at.epoch, offset: to });
  }
}

/** Whether a message matches its publication. */
export function isSaidBy(
  published: ToBePublished | undefined,
  { data, key, removed }: { readonly data?: unknown; readonly key?: unknown; readonly removed?: unknown },
): boolean {
  if (published === undefined || published.key !== key || published.removed !== removed) return false;
  return removed === true ? data === undefined : published.text === JSON.stringify(data);
}

/**
 * Returns the faults in everything that one connection received, in order. There are none if each
 * subscriber saw each publication once and in order, or got a report of its loss. Pass the
 * `transcript` of a `LiveTestClient`, or the messages of a `TestPeer`.
 *
 * @param find - returns the publication at a position; without it data is not compared
 */
export function deliveryFaults(transcript: readonly unknown[], find?: FindPublished): Fault[] {
  const faults: Fault[] = [];
  const checker = new DeliveryChecker((rule, text) => faults.push({ rule, text }), find);
  for (const message of transcript as readonly Received[]) checker.take(message);
  return faults;
}

function positionOf({ epoch, offset }: Received): Position {
  return { epoch: String(epoch), offset: Number(offset) };
}
