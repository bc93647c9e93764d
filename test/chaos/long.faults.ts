import { describe, expect, it } from 'vitest';
import { natsStoreFaults } from './support/nats-store-faults.js';
import { redisStoreFaults } from './support/redis-store-faults.js';
import { judgeFault, type StoreFault, type StoreFaultOptions } from './support/store-fault.js';

interface FaultsOptions extends StoreFaultOptions {
  readonly engine: string;
  /** A part of the names of those that are wanted. */
  readonly fault: string;
}

const faultsOf: Readonly<Record<string, readonly StoreFault[]>> = {
  nats: natsStoreFaults,
  redis: redisStoreFaults,
};
const options = JSON.parse(process.env['CHAOS'] ?? '{}') as FaultsOptions;
const wanted = (faultsOf[options.engine] ?? []).filter(({ name }) => name.includes(options.fault));

describe('A store that goes back', () => {
  it('has a fault of that name', () => {
    expect(wanted).not.toEqual([]);
  });

  it.each(wanted)('gives no position twice, and loses nothing in silence: $name', (fault) =>
    judgeFault(fault, options),
  );
});
