/**
 * One client's account of a topic: each offset was delivered, merged into a later one, or reported
 * lost.
 */
export class Account {
  /** The last known offset. */
  last = 0;
  /** Offsets that are missing without a report. */
  silent = 0;
  /** Offsets that a later event covers. */
  merged = 0;
  /** Offsets that were reported lost. */
  lost = 0;
  started = false;

  /** A publication, or several merged into it. */
  event({ offset, from = offset }) {
    this.missing(from);
    this.merged += offset - Math.max(from, this.last + 1);
    this.last = Math.max(this.last, offset);
  }

  heard(text) {
    const { type, from, to } = JSON.parse(text);
    if (type !== 'lost') return;
    this.missing(from);
    this.lost += to - from + 1;
    this.last = Math.max(this.last, to);
  }

  missing(next) {
    if (this.started && next > this.last + 1) this.silent += next - this.last - 1;
    this.started = true;
  }
}
