import type { Drained, LiveSocket } from '../../core/ports/socket.js';
import { FrameTexts } from './frame-texts.js';
import { Lane, type Parcel } from './lane.js';
import type { Timeline } from './timeline.js';

/** How the server handles what arrives. */
export interface ServerEnd {
  /** The handshake arrived. */
  arrived(link: SimLink): void;
  received(text: string): void;
  heard(): void;
  finished(code: number, reason: string): void;
  /** The server wrote these messages. */
  wrote(texts: readonly string[]): void;
  /** The server used the socket in a way that must not happen. */
  misused(what: string): void;
}

/** How the client handles what arrives. */
export interface ClientEnd {
  opened(): void;
  message(text: string): void;
  /** Called once, as the last call. */
  closed(code: number, reason: string): void;
}

/** Time that a page of a snapshot takes. */
const pageMs = 3;

/** Bytes that the kernels of both sides buffer for a peer that does not read. */
const kernelBytes = 300;
const closeTimeoutMs = 1_000;

interface Waiting {
  readonly bytes: number;
  readonly parcels: readonly Parcel[];
}

/** A WebSocket and the network under it; the server's end is a `LiveSocket`. */
export class SimLink implements LiveSocket {
  open = true;
  readonly windowBits = 0;
  private readonly frameTexts = new FrameTexts();
  readonly up: Lane;
  readonly down: Lane;
  /** Whether the server knows that the connection has ended. */
  finished = false;
  /** Whether the client knows that the connection has ended. */
  left = false;
  /** Whether the peer has stopped reading. */
  slow = false;
  private readonly unsent: Waiting[] = [];
  private unsentBytes = 0;
  private sendsPage = false;
  private readonly waiters: Drained[] = [];
  private paused = false;
  /** Messages that arrived while the server did not read. */
  private unread: Parcel[] | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly server: ServerEnd,
    private readonly client: ClientEnd,
  ) {
    this.up = new Lane(timeline, (parcels) => this.arriveUp(parcels));
    this.down = new Lane(timeline, (parcels) => this.arriveDown(parcels));
  }

  // The client's side.

  dial(): void {
    this.up.send({ kind: 'opened' });
  }

  send(text: string): void {
    if (!this.left) this.up.send({ kind: 'text', text });
  }

  /** The client closes the connection and ignores what still arrives. */
  leave(code = 1000, reason = ''): void {
    if (this.left) return;
    this.left = true;
    this.up.send({ kind: 'closed', code, reason });
  }

  // The server's side.

  get bufferedBytes(): number {
    return Math.max(Number(this.sendsPage), this.unsentBytes - kernelBytes);
  }

  /** Whether client messages wait because the server does not read. */
  get hasUnread(): boolean {
    return (this.unread?.length ?? 0) > 0;
  }

  write(frames: Uint8Array): void {
    if (!this.open) this.server.misused('wrote after the close');
    const texts = this.frameTexts.read(frames);
    this.server.wrote(texts);
    // Pages are large, so that other things happen between them.
    if (texts.some((text) => text.startsWith('{"type":"page"'))) {
      this.sendsPage = true;
      this.timeline.in(pageMs, () => {
        this.sendsPage = false;
        this.tellDrained();
      });
    }
    this.pass({ bytes: frames.byteLength, parcels: texts.map((text) => ({ kind: 'text', text })) });
  }

  whenDrained(waiter: Drained): void {
    this.waiters.push(waiter);
    if (this.bufferedBytes === 0) this.timeline.in(0, () => this.tellDrained());
  }

  ping(): void {
    if (this.open) this.pass({ bytes: 2, parcels: [{ kind: 'ping' }] });
  }

  close(code: number, reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.pass({ bytes: 4, parcels: [{ kind: 'closed', code, reason }] });
    this.timeline.in(closeTimeoutMs, () => this.finish(1006, ''));
  }

  terminate(): void {
    if (this.finished) return;
    this.open = false;
    this.timeline.in(0, () => this.finish(1006, ''));
    // A peer that cannot be reached does not learn of it either.
    if (this.down.dead) this.up.dead = true;
    else this.breakOff(this.down.latencyMs);
  }

  pause(): void {
    this.paused = true;
    this.unread ??= [];
  }

  resume(): void {
    this.paused = false;
    this.timeline.in(0, () => {
      const { unread } = this;
      if (this.paused || unread === undefined) return;
      this.unread = undefined;
      this.arriveUp(unread);
    });
  }

  /** Completes the handshake; the client learns of it first. */
  accept(): void {
    this.down.send({ kind: 'opened' });
  }

  refuse(): void {
    this.open = false;
    this.finished = true;
    this.down.send({ kind: 'closed', code: 1006, reason: 'refused' });
  }

  // The network.

  /** Cuts the connection; each end notices some time later. */
  cut(serverMs: number, clientMs: number): void {
    this.up.dead = true;
    this.timeline.in(serverMs, () => this.finish(1006, ''));
    this.breakOff(clientMs);
  }

  /** Silences one direction; neither end notices. */
  silence(way: 'up' | 'down'): void {
    this[way].dead = true;
  }

  get silent(): boolean {
    return this.up.dead || this.down.dead;
  }

  /** The peer reads again. */
  read(): void {
    this.slow = false;
    if (this.down.dead) return;
    const unsent = this.unsent.splice(0);
    this.unsentBytes = 0;
    for (const { parcels } of unsent) for (const parcel of parcels) this.down.send(parcel);
    this.timeline.in(0, () => this.tellDrained());
  }

  private tellDrained(): void {
    if (this.bufferedBytes > 0) return;
    for (const waiter of this.waiters.splice(0)) waiter.drained();
  }

  private breakOff(clientMs: number): void {
    this.up.dead = true;
    this.down.dead = true;
    this.timeline.in(clientMs, () => this.tellClient(1006, ''));
  }

  private pass(waiting: Waiting): void {
    if (this.slow || this.down.dead) {
      this.unsent.push(waiting);
      this.unsentBytes += waiting.bytes;
    } else for (const parcel of waiting.parcels) this.down.send(parcel);
  }

  private arriveUp(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) {
      if (this.finished) return;
      if (this.unread !== undefined) this.unread.push(parcel);
      else this.take(parcel);
    }
  }

  private take(parcel: Parcel): void {
    if (parcel.kind === 'opened') this.server.arrived(this);
    else if (parcel.kind === 'text') this.server.received(parcel.text);
    else if (parcel.kind === 'closed') this.finish(parcel.code, parcel.reason);
    else this.server.heard();
  }

  private arriveDown(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) {
      if (parcel.kind === 'ping') this.up.send({ kind: 'pong' });
      if (this.left) continue;
      if (parcel.kind === 'opened') this.client.opened();
      else if (parcel.kind === 'text') this.client.message(parcel.text);
      else if (parcel.kind === 'closed') {
        this.up.send(parcel);
        this.tellClient(parcel.code, parcel.reason);
      }
    }
  }

  private finish(code: number, reason: string): void {
    this.open = false;
    if (this.finished) return;
    this.finished = true;
    this.server.finished(code, reason);
  }

  private tellClient(code: number, reason: string): void {
    if (this.left) return;
    this.left = true;
    this.client.closed(code, reason);
  }
}
