import type { EndMessage, PublicationMessage, TopicMessage } from '../../client/topic-messages.js';
import type { Position } from '../../protocol/position.js';
import { isSaidBy } from './delivery-checker.js';
import type { Tell } from './faults.js';
import type { Publications } from './publications.js';

/** An application that trusts its client, and reports messages that contradict each other. */
export class AppChecker {
  over = false;
  private begun = false;

  constructor(
    readonly topic: string,
    /** The current position; `undefined` before the start. */
    public at: Position | undefined,
    private readonly publications: Publications,
    private readonly tellAll: Tell,
  ) {}

  readonly take = (message: TopicMessage | EndMessage): void => {
    if (this.over) this.tell(`${message.type} after the end`);
    if (message.type === 'end') {
      this.over = true;
      return;
    }
    if (message.topic !== this.topic) this.tell(`${message.type} of ${message.topic}`);
    // A subscription that resumes a position may first learn that it is unrecoverable.
    const begins = message.type === 'start' || (message.type === 'lost' && this.at !== undefined);
    if (this.begun ? message.type === 'start' : !begins)
      this.tell(`${message.type} ${this.begun ? 'once more' : 'first'}`);
    else if (message.type === 'event') this.event(message);
    else if (message.type === 'lost') this.lost(message.position, message.from);
    this.begun = true;
    this.at = message.position;
  };

  private event(message: PublicationMessage): void {
    const { position, from } = message;
    const { at } = this;
    // An event under a new epoch means that the stream continues after the application's position.
    const isSame = at && this.publications.isPastOf(this.topic, at, position.epoch);
    if (isSame !== true || from !== at.offset + 1)
      this.tell(`event ${position.epoch}:${String(from)} after ${String(at?.epoch)}:${String(at?.offset)}`);
    const published = this.publications.find(this.topic, position.epoch, position.offset);
    if (!isSaidBy(published, message))
      this.tell(`event ${String(position.offset)} is not what was published`);
  }

  private lost(position: Position, from: number | undefined): void {
    const { at } = this;
    const expected = at?.epoch === position.epoch && position.offset >= at.offset ? at.offset + 1 : undefined;
    // The client may have learned the new epoch of the same stream earlier, without telling the
    // application.
    const isPast = at !== undefined && this.publications.isPastOf(this.topic, at, position.epoch);
    if (from !== expected && !(isPast && from === at.offset + 1))
      this.tell(`lost from ${String(from)}, not ${String(expected)}`);
  }

  private tell(text: string): void {
    this.tellAll('application', `${this.topic}: ${text}`);
  }
}
