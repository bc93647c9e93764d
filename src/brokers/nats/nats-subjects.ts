/** Longest name of a topic as part of a subject; the server takes lines of 4,096 bytes. */
const maxTokenLength = 2_000;

/**
 * A topic as one token of a subject: `[A-Za-z0-9_-]` as they are, everything else as the `%XX` of its UTF-8 bytes. No dot,
 * blank or wildcard comes through, no token is empty, and two topics never share one.
 *
 * @throws Error for a name that is too long to be a subject
 */
export function tokenOf(topic: string): string {
  if (topic === '') return '%';
  const token = topic.replaceAll(/[^\w-]/gu, escape);
  if (token.length > maxTokenLength) throw new Error('The topic is too long to be a NATS subject.');
  return token;
}

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Half a character has no UTF-8; it must not become the same as another half.
  if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16)}`;
  const escaped = encodeURIComponent(character);
  return escaped.startsWith('%') ? escaped : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

const maxTokens = 1_000;

/** No topic's token: after a `%` those have two capital digits, a small u, or nothing. */
const lifeToken = '%life';

/** The subjects of one application. */
export class NatsSubjects {
  /** Texts from instance to instance. */
  readonly signals: string;
  /** Instances that ask for a turn in a topic. */
  readonly turns: string;
  /** Where a new record of the store's life comes out. */
  readonly lives: string;

  /** Tokens of the topics that were used lately: each publication needs its own twice. */
  private readonly tokens = new Map<string, string>();

  constructor(private readonly prefix: string) {
    this.signals = `${prefix}.signal`;
    this.turns = `${prefix}.turn`;
    this.lives = `${prefix}.out.${lifeToken}`;
  }

  /** What the stream holds. `incarnation` is another one whenever the stream is made anew. */
  stored(incarnation: string): string[] {
    return [`${this.prefix}.in.${incarnation}.*`, `${this.prefix}.keep.${incarnation}.*`];
  }

  /** What the stream republishes of it, once it is stored. */
  republished(incarnation: string): { src: string; dest: string } {
    return { src: `${this.prefix}.in.${incarnation}.*`, dest: `${this.prefix}.out.{{wildcard(1)}}` };
  }

  incarnationOf(stored: readonly string[]): string | undefined {
    const head = `${this.prefix}.in.`;
    const subject = stored.find((each) => each.startsWith(head));
    return subject === undefined ? undefined : /^(\w+)\.\*$/.exec(subject.slice(head.length))?.[1];
  }

  /** Where a topic's publications go in. */
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

  /** Where the records of the store's life go in. */
  life(incarnation: string): string {
    return `${this.prefix}.in.${incarnation}.${lifeToken}`;
  }

  /** Where what a topic remembers for snapshots is kept. */
  keep(incarnation: string, topic: string): string {
    return `${this.prefix}.keep.${incarnation}.${tokenOf(topic)}`;
  }

  /** Where they come out. */
  outlet(topic: string): string {
    return `${this.prefix}.out.${tokenOf(topic)}`;
  }
}
