/** One client's books of a topic of nestjs-live: every offset has come, was merged into a later one, or was told as lost. */
export class Account {
  /** The last offset that it knows of. */
  last = 0;
  /** Offsets that are missing without a word. */
  silent = 0;
  /** Offsets that a later event stands for. */
  merged = 0;
  /** Offsets that were told as lost. */
  lost = 0;
  started = false;

  /** A publication, or several of which it is the newest. */
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
