// The receiving process of bench/broker.js: records the latency of each message.
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
        // The kernel's monotonic clock, the same in all processes.
        samples.push(Number(process.hrtime.bigint() - BigInt(at)) / 1e6);
      });
    }
  },

  /** The latencies since the last call, in milliseconds. */
  take() {
    const taken = samples;
    samples = [];
    return taken;
  },
});
