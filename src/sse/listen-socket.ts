import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isTemporary } from '../protocol/codes.js';
import type { ServerMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import { EventSocket } from './event-socket.js';
import { eventIdOf } from './listening.js';

/** Close code of a stream whose client should come again (RFC 6455, section 7.4). */
const tryAgainLater = 1013;

const lineFeed = 0x0a;
const endOfEvent = Buffer.from('\n\n');

/**
 * A stream for a plain `EventSource`: each event has an id from which it can be resumed, and the
 * client sends nothing. Unlike other streams it has work for each event and client. [L-12.12]
 */
export class ListenSocket extends EventSocket {
  /** Called when what was sent has left this process, the only sign of life there is. */
  onRead: () => void = () => {};
  private readonly positions = new Map<string, Position>();
  /** The pieces of an event whose end has not come yet. */
  private readonly unfinished: Uint8Array[] = [];

  constructor(
    response: ServerResponse,
    private readonly stream: Socket,
    private readonly topics: readonly string[],
  ) {
    super(response, stream);
  }

  /** An event is a line of data and an empty line. Nothing of it is copied while it is cut. */
  override write(events: Uint8Array): void {
    let from = 0;
    for (let end; (end = events.indexOf(lineFeed, from)) >= 0; from = end + 1) {
      if (end > from) this.unfinished.push(events.subarray(from, end));
      if (this.unfinished.length > 0) this.writeEvent(this.unfinished.splice(0));
    }
    if (from < events.byteLength) this.unfinished.push(events.subarray(from));
  }

  override ping(): void {
    super.ping();
    this.stream.write('', (error) => {
      if (!error) this.onRead();
    });
  }

  /** All listeners share the bytes of a large event: its pieces are written as they came. */
  private writeEvent(pieces: readonly Uint8Array[]): void {
    const event = Buffer.concat(pieces);
    const message = JSON.parse(event.toString('utf8', 'data: '.length)) as ServerMessage;
    this.follow(message);
    const again = askAgainMs(message);
    const retry = again === undefined ? '' : `retry: ${String(again)}\n`;
    const before = Buffer.from(`id: ${eventIdOf(this.topics, this.positions)}\n${retry}`);
    if (pieces.length === 1) super.write(Buffer.concat([before, event, endOfEvent]));
    else for (const piece of [before, ...pieces, endOfEvent]) super.write(piece);
    // An EventSource does not subscribe again by itself, but it opens the stream again.
    if (again !== undefined) this.close(tryAgainLater, 'try again later');
  }

  /** Keeps the position that the client has reached after this message. */
  private follow(message: ServerMessage): void {
    if (message.type === 'subscribed')
      this.positions.set(message.topic, { epoch: message.epoch, offset: message.offset });
    if (message.type !== 'event' && message.type !== 'lost') return;
    const offset = message.type === 'event' ? message.offset : message.to;
    const at = this.positions.get(message.topic);
    if (at !== undefined) this.positions.set(message.topic, { epoch: at.epoch, offset });
  }
}

/** Milliseconds after which a subscription that has failed for now may be asked for again. */
function askAgainMs(message: ServerMessage): number | undefined {
  if (message.type !== 'error' && message.type !== 'unsubscribed') return undefined;
  const { code, retryAfterMs = 1_000 } = message;
  return code !== undefined && isTemporary(code) ? retryAfterMs : undefined;
}
