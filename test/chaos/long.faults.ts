import { describe, expect, it } from 'vitest';
import { natsStoreFaults } from './support/nats-store-faults.js';
import { redisStoreFaults } from './support/redis-store-faults.js';
import { judgeFault, type StoreFault, type StoreFaultOptions } from './support/store-fault.js';

interface FaultsOptions extends StoreFaultOptions {
  readonly engine: string;
  /** Part of the names of the wanted faults. */
  readonly fault: string;
}

const faultsOf: Readonly<Record<string, readonly StoreFault[]>> = {
  nats: natsStoreFaults,
  redis: redisStoreFaults,
};
const options = JSON.parse(process.env['CHAOS'] ?? '{}') as FaultsOptions;
const wanted = (faultsOf[options.engine] ?? []).filter(({ name }) => name.includes(options.fault));

describe('A store that goes back', () => {
  it('at least one fault has a matching name', () => {
    expect(wanted).not.toEqual([]);
  });

  it.each(wanted)('the store gives no position twice and loses nothing silently after $name', (fault) =>
    judgeFault(fault, options),
  );
});
