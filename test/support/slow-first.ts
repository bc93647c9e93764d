import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take over 30 s on two cores. Started last, one of them would run alone at the end. */
const slow = [
  'test/chaos/',
  'test/sim/simulation.spec.ts',
  'test/packaging/',
  'test/client/runtimes',
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

/** The small files of `unit` come last, because they fill both cores to the end. */
const projects = ['alone', 'e2e', 'streams', 'unit'];

/** The files of a project follow each other, so that its processes are not ended between them. */
const rank = ({ moduleId, project }: TestSpecification): number => {
  const place = slow.findIndex((name) => moduleId.includes(name));
  return projects.indexOf(project.name) * (slow.length + 1) + (place < 0 ? slow.length : place);
};

/** The order in which files start. It is fixed, because a new machine knows no earlier times. */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer's, and mutates nothing
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
