import { wrongPattern } from './topic.errors.js';

/** The named segments of a topic: for `fleet/:fleetId` and `fleet/7`, `{ fleetId: '7' }`. */
export type TopicParams = Readonly<Record<string, string>>;

const literal = /^(?!\.{1,2}$)[\w.~-]+$/;
const parameter = /^:([A-Za-z_]\w*)$/;

/**
 * How the topics of one pattern relate to those of another: all of them are among the other's
 * (`subset`) or the reverse (`superset`), they share some (`overlap`), or none.
 */
export type PatternRelation = 'equal' | 'subset' | 'superset' | 'overlap' | 'disjoint';

/**
 * A pattern of topics: `fleet/:fleetId` names a segment, `*` matches one, `**` at the end matches
 * one or more.
 */
export class TopicPattern {
  private readonly segments: readonly string[];

  /** @throws Error for an invalid pattern; it shows examples */
  constructor(
    /** The pattern as it was written. */
    readonly text: string,
  ) {
    this.segments = text.split('/');
    const names = new Set<string>();
    this.segments.forEach((segment, i) => {
      const name = parameter.exec(segment)?.[1];
      if (name !== undefined && names.has(name)) throw wrongPattern(text, `:${name} is there twice`);
      if (name !== undefined) names.add(name);
      if (segment === '**' && i < this.segments.length - 1)
        throw wrongPattern(text, '** is only for the end');
      if (!isWildcard(segment) && !literal.test(segment))
        throw wrongPattern(text, `"${segment}" is no segment`);
    });
  }

  /** The topic's parameters if it matches the pattern. */
  match(topic: string): TopicParams | undefined {
    const parts = topic.split('/');
    const { segments } = this;
    const open = segments.at(-1) === '**';
    if (open ? parts.length < segments.length : parts.length !== segments.length) return undefined;
    const params: Record<string, string> = Object.create(null) as Record<string, string>;
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i] ?? '';
      const part = parts[i] ?? '';
      if (segment === '**') return params;
      if (segment.startsWith(':')) params[segment.slice(1)] = part;
      else if (segment !== '*' && segment !== part) return undefined;
    }
    return params;
  }

  /** How the topics of this pattern relate to those of another one. @internal */
  relationTo(other: TopicPattern): PatternRelation {
    if (!this.meets(other)) return 'disjoint';
    const within = this.isWithin(other);
    if (other.isWithin(this)) return within ? 'equal' : 'superset';
    return within ? 'subset' : 'overlap';
  }

  /**
   * A topic that matches both patterns, for error texts. Only for patterns that are not disjoint.
   * @internal
   */
  exampleWith(other: TopicPattern): string {
    const length = Math.max(this.segments.length, other.segments.length);
    return Array.from({ length }, (_, i) => this.literalAt(i) ?? other.literalAt(i) ?? 'any').join('/');
  }

  /**
   * Sorts a pattern before every other whose topics include all of its own. The first match then
   * decides about a topic, provided that no two patterns overlap without an order.
   */
  static compare(one: TopicPattern, other: TopicPattern): number {
    return (
      Number(one.open) - Number(other.open) ||
      other.segments.length - one.segments.length ||
      other.literalCount - one.literalCount ||
      (one.text < other.text ? -1 : Number(one.text > other.text))
    );
  }

  /** Whether it ends in `**`, and so matches topics of any greater length. */
  private get open(): boolean {
    return this.segments.at(-1) === '**';
  }

  /** Number of segments other than `**`. */
  private get fixedCount(): number {
    return this.segments.length - Number(this.open);
  }

  private get literalCount(): number {
    return this.segments.filter((segment) => !isWildcard(segment)).length;
  }

  private literalAt(i: number): string | undefined {
    const segment = this.segments[i];
    return segment === undefined || isWildcard(segment) ? undefined : segment;
  }

  /** Whether some topic matches both. */
  private meets(other: TopicPattern): boolean {
    if (!this.open && !this.hasLengthOf(other)) return false;
    if (!other.open && !other.hasLengthOf(this)) return false;
    return this.segments.every((_, i) => {
      const [mine, others] = [this.literalAt(i), other.literalAt(i)];
      return mine === undefined || others === undefined || mine === others;
    });
  }

  /** Whether every topic that matches this pattern also matches the other one. */
  private isWithin(other: TopicPattern): boolean {
    if (this.open && !other.open) return false;
    if (this.open ? this.fixedCount < other.fixedCount : !this.hasLengthOf(other)) return false;
    return other.segments.every((_, i) => {
      const literalOfOther = other.literalAt(i);
      return literalOfOther === undefined || literalOfOther === this.literalAt(i);
    });
  }

  /**
   * Whether the other pattern matches topics of this pattern's length; this one must not be open.
   */
  private hasLengthOf({ open, segments }: TopicPattern): boolean {
    return open ? this.segments.length >= segments.length : this.segments.length === segments.length;
  }
}

/** Whether a segment matches more than itself. */
function isWildcard(segment: string): boolean {
  return segment === '*' || segment === '**' || parameter.test(segment);
}
