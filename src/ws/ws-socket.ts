// hot path
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Drained, LiveSocket } from '../core/ports/socket.js';
import type { Session } from '../core/session.js';
import { fittingCode, fittingReason } from './close-frame.js';

const open = 1;
const nothing = Buffer.alloc(0);
/** A ping without a payload (RFC 6455, section 5.5.2), the same for everybody. */
const pingFrame = Buffer.from([0x89, 0]);

/**
 * A `ws` WebSocket as the core sees it. Data frames and pings go straight to the socket, whole and already framed;
 * what else there is goes through `ws`. Both write at once and in order, since `ws` never compresses here and so never queues.
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
    // A socket that is destroyed already takes it without a word.
    if (this.open) this.socket.write(frames);
  }

  whenDrained(waiter: Drained): void {
    // Its turn comes behind everything that was written. Node's own 'drain' is not for every write that has to wait.
    this.socket.write(nothing, (error) => {
      if (!error) waiter.drained();
    });
  }

  ping(): void {
    this.write(pingFrame);
  }

  close(code: number, reason: string): void {
    this.ws.close(fittingCode(code), fittingReason(reason));
    // Paused, it would not see the peer's answer, and stay until the close times out.
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

/** Listens to `ws` for the session. To be called in the same turn as the 101, or early frames are lost. [L-1.12] */
export function serve(ws: WebSocket, session: Session): void {
  sessions.set(ws, session);
  ws.on('message', onMessage);
  ws.on('ping', onPing);
  ws.on('pong', onPong);
  ws.on('error', onError);
  ws.on('close', onClose);
}

// One function for all sockets, and a map from socket to session, instead of closures for each.
const sessions = new WeakMap<WebSocket, Session>();

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const session = sessions.get(this);
  if (isBinary) session?.receivedBinary();
  // A Buffer: `binaryType` is never changed here.
  else session?.received((data as Buffer).toString('utf8'), (data as Buffer).byteLength);
}

function onPing(this: WebSocket, data: Buffer): void {
  sessions.get(this)?.pinged(data.byteLength);
}

function onPong(this: WebSocket, data: Buffer): void {
  sessions.get(this)?.heard(data.byteLength);
}

/** The peer broke RFC 6455 or a limit: `ws` has sent a close frame, and then tells of 1006, since no answer is read. */
function onError(this: WebSocket, { code }: NodeJS.ErrnoException): void {
  if (code?.startsWith('WS_ERR_')) faults.set(this, faultCodes.get(code) ?? 1002);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  sessions.get(this)?.finished(faults.get(this) ?? code, reason.toString('utf8'));
}

/** With which code `ws` closed whom. */
const faults = new WeakMap<WebSocket, number>();

const faultCodes: ReadonlyMap<string, number> = new Map([
  ['WS_ERR_INVALID_UTF8', 1007],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
]);
