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

/**
 * A stream for a plain `EventSource`: each event has an id from which it can be resumed, and the
 * client sends nothing. Unlike other streams it has work for each event and client. [L-12.12]
 */
export class ListenSocket extends EventSocket {
  /** Called when what was sent has left this process, the only sign of life there is. */
  onRead: () => void = () => {};
  private readonly positions = new Map<string, Position>();
  private unfinished = '';

  constructor(
    response: ServerResponse,
    private readonly stream: Socket,
    private readonly topics: readonly string[],
  ) {
    super(response, stream);
  }

  override write(events: Uint8Array): void {
    const pieces = (this.unfinished + Buffer.from(events).toString('latin1')).split('\n\n');
    this.unfinished = pieces.pop() ?? '';
    for (const piece of pieces) this.writeEvent(Buffer.from(piece, 'latin1').toString());
  }

  override ping(): void {
    super.ping();
    this.stream.write('', (error) => {
      if (!error) this.onRead();
    });
  }

  private writeEvent(event: string): void {
    const message = JSON.parse(event.slice('data: '.length)) as ServerMessage;
    this.follow(message);
    const again = askAgainMs(message);
    const retry = again === undefined ? '' : `retry: ${String(again)}\n`;
    super.write(Buffer.from(`id: ${eventIdOf(this.topics, this.positions)}\n${retry}${event}\n\n`));
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
