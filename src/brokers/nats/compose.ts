import {
  type Publication,
  type Published,
  type BrokerPublishOptions,
  removalData,
} from '../../core/ports/broker.js';
import type { KeyVersions } from '../../core/stream/key-versions.js';
import { storedText } from '../stored-publication.js';
import type { KnownHead } from './heads.js';
import type { Base, Content, KeyVersion } from './stored-message.js';
import { refsAfter } from './message-chain.js';

interface Wanted {
  readonly data: string;
  readonly options: BrokerPublishOptions;
}

export interface Batch {
  /** The message to append after the head; absent if every publication is stale. */
  readonly content: Content | undefined;
  /** One for each publication, valid once the content is stored. */
  readonly answers: readonly Published[];
  readonly isAnyStale: boolean;
}

/**
 * Gives each publication the next offset, unless its version is stale.
 *
 * @param known - the versions of keys at the head; absent if no publication has both a key and a
 *   version
 */
export function compose(
  head: KnownHead,
  wanted: readonly Wanted[],
  newBase: Base | undefined,
  known?: KeyVersions,
): Batch {
  const { epoch, life, lineage } = head;
  const publications: Publication[] = [];
  const answers: Published[] = [];
  const versions: KeyVersion[] = [];
  let raised: Map<string, number> | undefined;
  let { top, version: newest } = head;
  for (const { data, options } of wanted) {
    const { key, version, remove } = options;
    const before = key === undefined ? newest : (raised?.get(key) ?? known?.get(key));
    const isStale = version !== undefined && before !== undefined && version <= before;
    if (!isStale) {
      top += 1;
      if (version !== undefined && key !== undefined) {
        versions.push([key, version]);
        raised ??= new Map();
        raised.set(key, version);
      } else newest = version ?? newest;
      publications.push({
        offset: top,
        data: remove === true ? removalData : storedText(data, options),
        ...(key !== undefined && { key }),
        ...(remove === true && { removed: true }),
      });
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
    keyed: head.keyed === true || versions.length > 0,
    versions,
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
