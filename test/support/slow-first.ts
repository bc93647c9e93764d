import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longer than half a minute on two cores. Begun last, one of them would run alone at the end. */
const slow = [
  'test/chaos/',
  'test/sim/simulation.spec.ts',
  'test/packaging/',
  'test/brokers/redis.sentinel',
  'test/brokers/topic-names',
  'test/sim/planted-bugs.spec.ts',
  'test/commands',
  'test/11-presence',
  'test/abuse/',
  'test/server-process',
  'test/brokers/',
  'test/09-limits',
  'test/module/',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const place = slow.findIndex((name) => moduleId.includes(name));
  return place < 0 ? slow.length : place;
};

/** The order in which files are begun; the same on every machine, since a new one knows no times of earlier runs. */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer's, and mutates nothing
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
