import type { Position } from '../../protocol/position.js';
import type { Received } from '../live-test-client.js';
import type { Fault, Tell } from './faults.js';

/** What was published at a position, as JSON text; `undefined` for nothing. */
export type FindPublished = (topic: string, position: Position) => ToBePublished | undefined;

/** What a publication says; the text of a removal does not matter. */
export interface ToBePublished {
  /** JSON text. */
  readonly text: string;
  readonly key?: string | undefined;
  readonly removed?: true | undefined;
}

/**
 * Reads what one connection was sent, in order, as a client would, and tells what must not be: an event that is not the
 * one after the last, or that has no subscription, or that is something else than what was published.
 */
export class DeliveryChecker {
  private readonly positions = new Map<string, Position>();

  constructor(
    private readonly tell: Tell,
    private readonly find?: FindPublished,
  ) {}

  /** Where the connection stands in each topic that it is subscribed to. */
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

  /** A new subscribe to the topic was refused: what there was before has ended with it. [L-3.5] */
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

/** Whether a message says what was published. */
export function isSaidBy(
  published: ToBePublished | undefined,
  { data, key, removed }: { readonly data?: unknown; readonly key?: unknown; readonly removed?: unknown },
): boolean {
  if (published === undefined || published.key !== key || published.removed !== removed) return false;
  return removed === true ? data === undefined : published.text === JSON.stringify(data);
}

/**
 * What is wrong with everything that one connection received, in order: nothing, when each subscriber saw each
 * publication once and in order, or was told. Give it the `transcript` of a `LiveTestClient`, or what a `TestPeer`
 * received.
 *
 * @param find says what was published; without it, data is not looked at
 * @publicApi
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
