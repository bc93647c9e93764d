import type { Clock } from '../core/ports/clock.js';

/** Handshakes of one turn of the event loop: some 10 ms with a token. */
export const handshakesPerTurn = 32;
/** Maximum that wait; each holds a socket and its headers. One more is decided at once. */
export const maxWaitingHandshakes = 4_096;

/**
 * Spreads handshakes over turns of the event loop. A crowd brings a thousand with one poll, and
 * clients that are connected would get nothing until the last of them is decided.
 */
export class HandshakeTurns<Handshake> {
  private inTurn = 0;
  private waiting: Handshake[] = [];
  /** Place of the next one in `waiting`. */
  private next = 0;

  constructor(
    private readonly clock: Clock,
    private readonly begin: (handshake: Handshake) => void,
  ) {}

  /** Begins a handshake, at once if its turn has room. In the order of arrival. */
  add(handshake: Handshake): void {
    const waiting = this.waiting.length - this.next;
    if (waiting >= maxWaitingHandshakes || (waiting === 0 && this.inTurn < handshakesPerTurn)) {
      if (this.inTurn++ === 0) this.clock.soon(this.turn);
      this.begin(handshake);
    } else this.waiting.push(handshake);
  }

  private readonly turn = (): void => {
    this.inTurn = 0;
    if (this.next === this.waiting.length) return;
    this.clock.soon(this.turn);
    while (this.inTurn < handshakesPerTurn && this.next < this.waiting.length) {
      this.inTurn += 1;
      this.begin(this.waiting[this.next++] as Handshake);
    }
    if (this.next < this.waiting.length) return;
    this.waiting = [];
    this.next = 0;
  };
}
