// hot path
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SendBatch, WriteBatch } from '../core/ports/socket.js';

/** Writes in one call of the sender. Their CPU time counts for the slice of the flusher. */
const room = 256;

/** What a batch needs from the owner of a socket. */
export interface BatchOwner {
  /** Set while bytes of the socket are in the batch. */
  inBatch: boolean;
}

/** Node has no public name for the descriptor of a socket, nor for what its stream has counted. */
interface CountedSocket extends Socket {
  readonly _handle?: { readonly fd?: number } | null;
  /** Bytes that were written below the stream. */
  [bytesBelow]: number;
}

const bytesBelow = Symbol('bytesBelow');

/**
 * Collects the writes of a flush and makes them with few calls of a native sender. Whatever a call
 * does not take, for any reason, goes to the socket's stream, which queues it or finds the error.
 */
export class SocketBatch implements WriteBatch {
  /** Whether writes are collected now. */
  collecting = false;
  private count = 0;
  private readonly owners: (BatchOwner | undefined)[] = [];
  private readonly sockets: (CountedSocket | undefined)[] = [];
  private readonly writes: (Uint8Array | undefined)[] = [];
  private readonly rows = new Int32Array(3 * room);

  /** @param failed - called with what the sender has thrown */
  constructor(
    private sender: SendBatch,
    private readonly failed: (error: unknown) => void = () => {},
  ) {}

  start(): void {
    this.collecting = true;
  }

  end(): void {
    this.collecting = false;
    this.send();
  }

  /** Only for sockets that `batchable` returned, and once until the next `send`. */
  add(owner: BatchOwner, socket: Socket, bytes: Uint8Array): void {
    if (this.count === room) this.send();
    const at = this.count;
    owner.inBatch = true;
    this.owners[at] = owner;
    this.sockets[at] = socket as CountedSocket;
    this.writes[at] = bytes;
    this.count = at + 1;
  }

  /** Makes all writes that were collected. */
  send(): void {
    const { count, rows, owners, sockets, writes } = this;
    if (count === 0) return;
    this.count = 0;
    this.callSender(count, this.fillRows(count));
    for (let i = 0; i < count; i++) {
      const owner = owners[i];
      const socket = sockets[i];
      const bytes = writes[i];
      if (owner === undefined || socket === undefined || bytes === undefined) continue;
      owners[i] = undefined;
      sockets[i] = undefined;
      writes[i] = undefined;
      owner.inBatch = false;
      settle(socket, bytes, rows[3 * i + 2] ?? 0);
    }
  }

  /** One that throws is not called again: the streams write all rows that it has not set. */
  private callSender(count: number, buffers: readonly Uint8Array[]): void {
    try {
      this.sender(count, this.rows, buffers);
    } catch (error) {
      this.sender = none;
      this.failed(error);
    }
  }

  /** From here to the sender's call, nothing else runs that could close a socket. */
  private fillRows(count: number): readonly Uint8Array[] {
    const { rows, sockets, writes } = this;
    const buffers: Uint8Array[] = [];
    let last: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      const bytes = writes[i];
      if (bytes !== undefined && bytes !== last) buffers.push((last = bytes));
      rows[3 * i] = descriptorOf(sockets[i]);
      rows[3 * i + 1] = buffers.length - 1;
      rows[3 * i + 2] = 0;
    }
    return buffers;
  }
}

const none: SendBatch = () => {};

/** -1 if the socket is closed, or if its stream still has data that must go first. */
function descriptorOf(socket: CountedSocket | undefined): number {
  if (socket === undefined || socket.writableLength > 0 || socket.writableEnded) return -1;
  return socket._handle?.fd ?? -1;
}

function settle(socket: CountedSocket, bytes: Uint8Array, result: number): void {
  const taken = Math.max(0, result);
  socket[bytesBelow] += taken;
  // Also after an error: the stream meets it as well, and reports it in its own words.
  if (taken < bytes.byteLength) socket.write(bytes.subarray(taken));
}

/**
 * The socket if a batch can write to it: a plain TCP connection of this process. Bytes of a TLS
 * connection must be encrypted first, and a pipe has no descriptor that `send` takes.
 */
export function batchable(stream: Duplex): Socket | undefined {
  if (!(stream instanceof Socket) || 'encrypted' in stream) return undefined;
  const descriptor = (stream as CountedSocket)._handle?.fd ?? -1;
  if (stream.remoteFamily === undefined || descriptor < 0) return undefined;
  if (!(bytesBelow in stream)) Object.defineProperties(stream, counted);
  return stream;
}

const ownCount = Object.getOwnPropertyDescriptor(Socket.prototype, 'bytesWritten');

/** The stream's own count does not include what was written below it. */
const counted: PropertyDescriptorMap = {
  [bytesBelow]: { value: 0, writable: true },
  bytesWritten: {
    configurable: true,
    get(this: CountedSocket): number | undefined {
      const own = ownCount?.get?.call(this) as number | undefined;
      return own === undefined ? undefined : own + this[bytesBelow];
    },
  },
};
