/** Longest token of a topic; the server accepts lines of 4,096 bytes. */
const maxTokenLength = 2_000;

/**
 * Encodes a topic as one token of a subject: `[A-Za-z0-9_-]` unchanged, everything else as `%XX` of
 * its UTF-8 bytes. A token is never empty, contains no dot, space or wildcard, and is unique to its
 * topic.
 *
 * @throws Error if the name is too long for a subject
 */
export function tokenOf(topic: string): string {
  if (topic === '') return '%';
  const token = topic.replaceAll(/[^\w-]/gu, escape);
  if (token.length > maxTokenLength) throw new Error('The topic is too long to be a NATS subject.');
  return token;
}

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // An unpaired surrogate has no UTF-8; each one needs a token of its own.
  if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16)}`;
  const escaped = encodeURIComponent(character);
  return escaped.startsWith('%') ? escaped : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

const maxTokens = 1_000;

/** Never a topic's token: there, `%` is followed by two uppercase hex digits, a `u`, or nothing. */
const lifeToken = '%life';

/** The subjects of one application. */
export class NatsSubjects {
  /** Signals between instances. */
  readonly signals: string;
  /** Requests of instances for a turn in a topic. */
  readonly turns: string;
  /** Republished records of the store's life. */
  readonly lives: string;

  /** Tokens of recently used topics; each publication needs its token twice. */
  private readonly tokens = new Map<string, string>();

  constructor(private readonly prefix: string) {
    this.signals = `${prefix}.signal`;
    this.turns = `${prefix}.turn`;
    this.lives = `${prefix}.out.${lifeToken}`;
  }

  /** Subjects that the stream stores. `incarnation` changes whenever the stream is recreated. */
  stored(incarnation: string): string[] {
    return [`${this.prefix}.in.${incarnation}.*`, `${this.prefix}.keep.${incarnation}.*`];
  }

  /** Subjects that the stream republishes once stored. */
  republished(incarnation: string): { src: string; dest: string } {
    return { src: `${this.prefix}.in.${incarnation}.*`, dest: `${this.prefix}.out.{{wildcard(1)}}` };
  }

  incarnationOf(stored: readonly string[]): string | undefined {
    const head = `${this.prefix}.in.`;
    const subject = stored.find((each) => each.startsWith(head));
    return subject === undefined ? undefined : /^(\w+)\.\*$/.exec(subject.slice(head.length))?.[1];
  }

  /** The subject to publish to a topic. */
  inlet(incarnation: string, topic: string): string {
    return `${this.prefix}.in.${incarnation}.${this.tokenOf(topic)}`;
  }

  private tokenOf(topic: string): string {
    let token = this.tokens.get(topic);
    if (token === undefined) {
      token = tokenOf(topic);
      if (this.tokens.size >= maxTokens) this.tokens.clear();
      this.tokens.set(topic, token);
    }
    return token;
  }

  /** The subject to publish records of the store's life. */
  life(incarnation: string): string {
    return `${this.prefix}.in.${incarnation}.${lifeToken}`;
  }

  /** The subject that stores a topic's data for snapshots. */
  keep(incarnation: string, topic: string): string {
    return `${this.prefix}.keep.${incarnation}.${tokenOf(topic)}`;
  }

  /** The subject to subscribe to a topic. */
  outlet(topic: string): string {
    return `${this.prefix}.out.${tokenOf(topic)}`;
  }
}
