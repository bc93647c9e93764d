import type { Position } from '../../protocol/position.js';
import type { Publications } from './publications.js';

/** A publication that a client has made. */
interface Made {
  readonly topic: string;
  /** As JSON text. */
  readonly text: string;
  at?: Position;
}

/** Each publication of one client is published once, and in the order of the calls. [L-4.18] */
export class OnceChecker {
  private readonly made_: Made[] = [];

  constructor(private readonly tell: (text: string) => void) {}

  /** Returns what to call with the answer. */
  made(topic: string, data: unknown): (at: Position) => void {
    const mine: Made = { topic, text: JSON.stringify(data) ?? '' };
    this.made_.push(mine);
    return (at) => {
      mine.at = at;
    };
  }

  checkAtRest(publications: Publications): void {
    const last = new Map<string, number>();
    for (const { topic, text, at } of this.made_) {
      // Data with a number of its own is different each time.
      if (text.startsWith('{"n":') && publications.timesInOneStream(topic, text) > 1)
        this.tell(`has published ${text} twice in ${topic}`);
      if (at === undefined) continue;
      const stream = `${topic} ${at.epoch}`;
      if (at.offset <= (last.get(stream) ?? 0))
        this.tell(`has published ${text} in ${topic} before an earlier one`);
      last.set(stream, at.offset);
    }
  }
}
