// hot path
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import type { Drained, LiveSocket } from '../core/ports/socket.js';
import { fittingCode, fittingReason } from './close-frame.js';
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

const open = 1;
const nothing = Buffer.alloc(0);
/** A ping without a payload (RFC 6455, section 5.5.2), shared by all connections. */
const pingFrame = Buffer.from([0x89, 0]);

/**
 * Adapts a `ws` WebSocket to the core. Data frames and pings are already framed and go straight to
 * the socket; everything else goes through `ws`. Order holds because `ws` never compresses here and
 * so never queues.
 */
export class WsSocket implements LiveSocket {
  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Duplex,
    readonly windowBits = 0,
  ) {}

  get open(): boolean {
    return this.ws.readyState === open;
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  write(frames: Uint8Array): void {
    // A destroyed socket would silently drop the data.
    if (this.open) this.socket.write(frames);
  }

  whenDrained(waiter: Drained): void {
    // An empty write completes after everything before it. Node's `drain` does not fire for every
    // queued write.
    this.socket.write(nothing, (error) => {
      if (!error) waiter.drained();
    });
  }

  ping(): void {
    this.write(pingFrame);
  }

  close(code: number, reason: string): void {
    this.ws.close(fittingCode(code), fittingReason(reason));
    // A paused socket would not read the peer's close frame and would stay until the close times
    // out.
    //
    this.ws.resume();
  }

  terminate(): void {
    this.ws.terminate();
  }

  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }
}
