import { expect, it, onTestFinished } from 'vitest';
import { sleep } from '../brokers/support/waiting.js';
import { NatsServer } from '../support/nats-server.js';
import { describeWith, natsServer } from '../support/programs.js';
import { FaultWorld, line, within } from './support/fault-world.js';
import { flawless } from './support/ledger.js';
import { natsStoreFaults } from './support/nats-store-faults.js';
import { judgeFault } from './support/store-fault.js';

/** Publications per topic that the stream keeps by default. */
const history = 500;

describeWith(natsServer)('Faults of a NATS store', () => {
  it.each(natsStoreFaults)(
    '[L-4.2] NATS gives no position twice and loses nothing silently after $name',
    (fault) => judgeFault(fault, { rounds: 1, perSecond: 500, apps: 2 }),
    180_000,
  );
});

describeWith(natsServer)('Two instances on a NATS that fails, under 2,000 publications a second', () => {
  async function world() {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    return { server, all: await FaultWorld.start([server.url, server.url], { history }) };
  }

  it('[L-5.10] topics continue without a gap after NATS is killed and restarted with its store', async () => {
    const { server, all } = await world();
    await server.stop('SIGKILL');
    const notReadyMs = await all.notReady();
    await sleep(1_000);
    await server.start();
    const liveAgainMs = await all.liveAgain();
    const verdict = await all.verdict();
    console.info(line('NATS, kill and restart', verdict, { notReadyMs, liveAgainMs }));
    expect(verdict).toMatchObject({ ...flawless, reported: 0, delivered: verdict.expected });
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(notReadyMs).toBeLessThan(within(5_000));
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);

  it('[L-5.7] every subscriber learns of the new epoch after NATS is restarted without its store', async () => {
    const { server, all } = await world();
    await server.stop('SIGKILL');
    server.forget();
    const notReadyMs = await all.notReady();
    await server.start();
    const liveAgainMs = await all.liveAgain();
    const verdict = await all.verdict();
    console.info(line('NATS, restart without its store', verdict, { notReadyMs, liveAgainMs }));
    expect(verdict).toMatchObject(flawless);
    expect(Math.min(...all.reported)).toBeGreaterThan(0);
    expect([all.wireFaults, all.cuts]).toEqual([[], 0]);
    expect(notReadyMs).toBeLessThan(within(5_000));
    expect(liveAgainMs).toBeLessThan(within(2_000));
  }, 120_000);
});
