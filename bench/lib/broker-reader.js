// The other instance of bench/broker.js, in a process of its own: takes what comes and how long it was under way.
import process from 'node:process';
import { answer } from './asking.js';
import { ways } from './broker-ways.js';

const [, , dist, url] = process.argv;
let samples = [];

answer({
  async start() {
    for (const open of Object.values(ways)) {
      const way = await open(dist, url);
      await way.read((data) => {
        const { at } = JSON.parse(data);
        // The kernel's clock since its start, the same in all processes.
        samples.push(Number(process.hrtime.bigint() - BigInt(at)) / 1e6);
      });
    }
  },

  /** Milliseconds of each message since the last time. */
  take() {
    const taken = samples;
    samples = [];
    return taken;
  },
});
