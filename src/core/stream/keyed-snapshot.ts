import type { Snapshot } from '../fanout/snapshot-run.js';
import type { LatestReading } from '../ports/broker.js';
import type { EntryLimits } from '../../protocol/messages.js';
import type { Position } from '../../protocol/position.js';
import { latestLimits } from './latest.js';

/** The last data of each key: as an object, and as a list for those that ask for it. */
export class KeyedSnapshot implements Snapshot {
  readonly position: Position;
  readonly missed = [];
  /** If every key was removed, the state is empty, not unknown. [L-6.8] */
  readonly text: string | undefined;
  private list: Snapshot | undefined;

  constructor(
    private readonly reading: LatestReading,
    private readonly maxKeyAgeMs: number | undefined,
  ) {
    const { top, publications } = reading;
    const fields = publications.map(({ key, data }) => `${JSON.stringify(key ?? '')}:${data}`);
    this.position = top;
    this.text = top.offset > 0 ? `{${fields.join(',')}}` : undefined;
  }

  /** Made once, when the first subscriber needs it. [L-6.11] */
  get asEntries(): Snapshot {
    return (this.list ??= this.makeList());
  }

  private makeList(): Snapshot {
    const { position, missed, maxKeyAgeMs } = this;
    const { publications, agesMs = [] } = this.reading;
    const entries = publications.map(({ key, data }, i) => {
      const ageMs = agesMs[i];
      // A client must not think that a key is older than it is.
      const age = ageMs === undefined ? '' : `,${String(Math.floor(ageMs))}`;
      return `[${JSON.stringify(key ?? '')},${data}${age}]`;
    });
    const { keys, bytes } = latestLimits;
    const limits: EntryLimits = {
      maxKeys: keys,
      maxBytes: bytes,
      ...(maxKeyAgeMs !== undefined && { maxKeyAgeMs }),
    };
    return { position, missed, text: `[${entries.join(',')}]`, entryLimits: JSON.stringify(limits) };
  }
}
