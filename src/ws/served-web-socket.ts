// hot path
import { type RawData, WebSocket } from 'ws';
import type { Session } from '../core/inbound/session.js';

/** What `ws` tells of a connection, and what a listener would get. */
type Told = readonly [first?: unknown, second?: unknown];

/**
 * The WebSocket of a peer that was let in: what `ws` tells of it goes straight to its session. Listeners would be five for
 * each connection, and a map from socket to session beside them.
 */
export class ServedWebSocket extends WebSocket {
  private session: Session | undefined;
  /** With which code `ws` closed it, since the peer broke RFC 6455 or a limit. */
  private fault: number | undefined;

  /** To be called in the same turn as the 101, or early frames are lost. [L-1.12] */
  serve(session: Session): void {
    this.session = session;
  }

  override emit(event: string | symbol, ...told: Told): boolean {
    const { session } = this;
    if (session === undefined) return this.emitUnserved(event, told);
    const [first, second] = told;
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
    // A Buffer: `binaryType` is never changed here.
    else session.received((data as Buffer).toString('utf8'), (data as Buffer).byteLength);
  }

  /** `ws` has sent a close frame, and then tells of 1006, since no answer is read. */
  private noteFault({ code }: NodeJS.ErrnoException): void {
    if (code?.startsWith('WS_ERR_')) this.fault = faultCodes.get(code) ?? 1002;
  }

  /** An error that nobody listens to would end the process. */
  private emitUnserved(event: string | symbol, told: Told): boolean {
    return (event !== 'error' || this.listenerCount(event) > 0) && super.emit(event, ...told);
  }
}

const faultCodes: ReadonlyMap<string, number> = new Map([
  ['WS_ERR_INVALID_UTF8', 1007],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
]);
