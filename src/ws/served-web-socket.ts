// hot path
import { type RawData, WebSocket } from 'ws';
import type { Session } from '../core/inbound/session.js';

/** The arguments of an event that `ws` emits. */
type EventArguments = readonly [first?: unknown, second?: unknown];

/**
 * The WebSocket of an accepted peer. Events of `ws` go straight to its session, which saves five
 * listeners per connection and a map from sockets to sessions.
 */
export class ServedWebSocket extends WebSocket {
  private session: Session | undefined;
  /** Close code that `ws` chose because the peer broke RFC 6455 or a limit. */
  private fault: number | undefined;

  /** Must be called in the same tick as the 101, or early frames are lost. [L-1.12] */
  serve(session: Session): void {
    this.session = session;
  }

  override emit(event: string | symbol, ...args: EventArguments): boolean {
    const { session } = this;
    if (session === undefined) return this.emitUnserved(event, args);
    const [first, second] = args;
    if (event === 'message') this.message(session, first as RawData, second === true);
    else if (event === 'ping') session.pinged((first as Buffer).byteLength);
    else if (event === 'pong') session.heard((first as Buffer).byteLength);
    else if (event === 'error') this.noteFault(first as NodeJS.ErrnoException);
    else if (event === 'close')
      session.finished(this.fault ?? (first as number), (second as Buffer).toString());
    return true;
  }

  private message(session: Session, data: RawData, isBinary: boolean): void {
    if (isBinary) session.receivedBinary();
    // Always a Buffer, because `binaryType` is never changed here.
    else session.received((data as Buffer).toString('utf8'), (data as Buffer).byteLength);
  }

  /** After a fault `ws` sends a close frame but reads no answer, so it would report 1006. */
  private noteFault({ code }: NodeJS.ErrnoException): void {
    if (code?.startsWith('WS_ERR_')) this.fault = faultCodes.get(code) ?? 1002;
  }

  /** An `error` event without a listener would end the process. */
  private emitUnserved(event: string | symbol, args: EventArguments): boolean {
    return (event !== 'error' || this.listenerCount(event) > 0) && super.emit(event, ...args);
  }
}

const faultCodes: ReadonlyMap<string, number> = new Map([
  ['WS_ERR_INVALID_UTF8', 1007],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
]);
