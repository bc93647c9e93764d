/** One event of a stream. */
export interface StreamEvent {
  /** `message` if the stream names none. */
  readonly name: string;
  readonly data: string;
}

/** Cuts the text of an event stream into events. Lines end with a line feed, as the server's do. */
export class EventReader {
  #text = '';

  constructor(private readonly onEvent: (event: StreamEvent) => void) {}

  /** Takes the next piece of the text. */
  read(piece: string): void {
    // The end of an event may be split between two pieces.
    let from = Math.max(0, this.#text.length - 1);
    this.#text += piece;
    for (let end = this.#text.indexOf('\n\n', from); end >= 0; end = this.#text.indexOf('\n\n')) {
      const lines = this.#text.slice(0, end).split('\n');
      this.#text = this.#text.slice(end + 2);
      from = 0;
      this.onEvent(eventOf(lines));
    }
  }
}

function eventOf(lines: readonly string[]): StreamEvent {
  let name = 'message';
  const data: string[] = [];
  for (const line of lines) {
    if (line.startsWith('data: ')) data.push(line.slice(6));
    else if (line.startsWith('event: ')) name = line.slice(7);
  }
  return { name, data: data.join('\n') };
}
