import { wrongPattern } from '../live.errors.js';

/** The named segments of a topic: for `fleet/:fleetId` and `fleet/7`, `{ fleetId: '7' }`. */
export type TopicParams = Readonly<Record<string, string>>;

const literal = /^(?!\.{1,2}$)[\w.~$-]+$/;
const parameter = /^:([A-Za-z_]\w*)$/;

/** A pattern of topics: `fleet/:fleetId` names a segment, `*` stands for one, `**` at the end for one or more. */
export class TopicPattern {
  private readonly segments: readonly string[];

  /** Throws an error that shows what a pattern looks like. */
  constructor(readonly text: string) {
    this.segments = text.split('/');
    const names = new Set<string>();
    this.segments.forEach((segment, i) => {
      const name = parameter.exec(segment)?.[1];
      if (name !== undefined && names.has(name)) throw wrongPattern(text, `:${name} is there twice`);
      if (name !== undefined) names.add(name);
      if (segment === '**' && i < this.segments.length - 1)
        throw wrongPattern(text, '** is only for the end');
      if (rankOf(segment) === 0 && !literal.test(segment))
        throw wrongPattern(text, `"${segment}" is no segment`);
    });
  }

  /** The topic's parameters if it is of this form. */
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

  /** What two patterns that match the same topics with the same precedence have in common. */
  get form(): string {
    return this.segments.map((segment) => (segment.startsWith(':') ? ':' : segment)).join('/');
  }

  /** Sorts the more specific pattern first: segment by segment a literal, then a name, then `*`, then `**`. */
  static compare(one: TopicPattern, other: TopicPattern): number {
    const length = Math.max(one.segments.length, other.segments.length);
    for (let i = 0; i < length; i++) {
      const difference = rankOf(one.segments[i]) - rankOf(other.segments[i]);
      if (difference !== 0) return difference;
    }
    return one.text < other.text ? -1 : Number(one.text > other.text);
  }
}

function rankOf(segment: string | undefined): number {
  if (segment === undefined) return 4;
  if (segment === '**') return 3;
  if (segment === '*') return 2;
  return segment.startsWith(':') && parameter.test(segment) ? 1 : 0;
}
