import type { Publication, Published, PublishOptions } from '../../core/ports/broker.js';
import type { KnownHead } from './heads.js';
import type { Base, Content } from './stored-message.js';
import { refsAfter } from './topic-log.js';

interface Wanted {
  readonly data: string;
  readonly options: PublishOptions;
}

export interface Batch {
  /** What is to be stored behind the head; absent when all of it comes too late. */
  readonly content: Content | undefined;
  /** For each publication, if the content is stored. */
  readonly answers: readonly Published[];
  readonly isAnyStale: boolean;
}

/** Gives each publication the next offset, if its version is not too old. */
export function compose(head: KnownHead, wanted: readonly Wanted[], newBase: Base | undefined): Batch {
  const { epoch, life, lineage } = head;
  const publications: Publication[] = [];
  const answers: Published[] = [];
  let { top, version: newest } = head;
  for (const { data, options } of wanted) {
    const { key, version } = options;
    const isStale = version !== undefined && newest !== undefined && version <= newest;
    if (!isStale) {
      top += 1;
      newest = version ?? newest;
      publications.push({ offset: top, data, ...(key !== undefined && { key }) });
    }
    answers.push(isStale ? { epoch, offset: top, suppressed: 'stale' } : { epoch, offset: top });
  }
  const isAnyStale = publications.length < wanted.length;
  if (publications.length === 0) return { content: undefined, answers, isAnyStale };
  const { history, latest } = wanted[0]?.options ?? {};
  const kept = history !== undefined && history.size > 0;
  const content: Content = {
    epoch,
    life,
    lineage,
    top,
    version: newest,
    rules: kept ? history : head.rules,
    latest: latest ?? head.latest,
    refs: refsAfter(head),
    base: newBase ?? head.base,
    tail: newBase === undefined ? head.tail + 1 : head.top - newBase.offset + 1,
    publications,
    kept,
    remembered: latest !== undefined,
  };
  return { content, answers, isAnyStale };
}
