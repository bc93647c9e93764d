// hot path
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import type { Drained, LiveSocket } from '../core/ports/socket.js';
import { fittingCode, fittingReason } from './close-frame.js';
import type { Session } from '../core/inbound/session.js';
import { batchable, type BatchOwner, type SocketBatch } from './write-batch.js';

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
export class WsSocket implements LiveSocket, BatchOwner {
  inBatch = false;
  /** Set if the writes of a flush go to the batch. */
  private readonly plain: Socket | undefined;

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Duplex,
    readonly windowBits = 0,
    private readonly batch?: SocketBatch,
  ) {
    this.plain = batch === undefined ? undefined : batchable(socket);
  }

  get open(): boolean {
    return this.ws.readyState === open;
  }

  get bufferedBytes(): number {
    if (this.inBatch) this.batch?.send();
    return this.socket.writableLength;
  }

  write(frames: Uint8Array): void {
    const { plain, batch } = this;
    if (this.inBatch) batch?.send();
    // A destroyed socket would silently drop the data.
    if (!this.open) return;
    if (plain !== undefined && batch?.collecting === true) batch.add(this, plain, frames);
    else this.socket.write(frames);
  }

  whenDrained(waiter: Drained): void {
    if (this.inBatch) this.batch?.send();
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
    if (this.inBatch) this.batch?.send();
    this.ws.close(fittingCode(code), fittingReason(reason));
    // A paused socket would not read the peer's close frame and would stay until the close times
    // out.
    //
    this.ws.resume();
  }

  terminate(): void {
    if (this.inBatch) this.batch?.send();
    this.ws.terminate();
  }

  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }
}
