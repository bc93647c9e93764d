import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { deferred } from '../support/deferred.js';
import { describeWith, firefox, webKitGtk } from '../support/programs.js';
import { serveClient } from '../support/served-client.js';
import { startProgram } from '../support/started-program.js';
import { startClientApp } from './client-app.js';
import { places } from './runtime-places.js';

/** What a tab reports. */
interface Report {
  readonly tab: string;
  readonly kind: 'socket' | 'start' | 'end';
  readonly offsets?: readonly number[];
  readonly others?: readonly string[];
}

/** A tab, named by its hash. It closes itself when a publication says so. */
const page = (url: string): string => `<!doctype html><title>A tab</title><script type="module">
import { connect } from '/client/index.js';
import { shared } from '/tabs/index.js';
const tab = location.hash.slice(1);
const tell = (report) => void fetch('/', { method: 'POST', body: JSON.stringify({ tab, ...report }) });
const Own = globalThis.WebSocket;
globalThis.WebSocket = class extends Own {
  constructor(...all) {
    super(...all);
    tell({ kind: 'socket' });
  }
};
const [offsets, others] = [[], []];
const client = connect('${url}', { credential: 'ann', webSocket: shared({ as: 'ann' }) });
client.subscribe('history/a', ({ type, position, data }) => {
  if (type !== 'event') others.push(type);
  else offsets.push(position.offset);
  if (type === 'start') tell({ kind: 'start' });
  if (data?.close === tab) window.close();
  if (data?.isLast) tell({ kind: 'end', offsets, others });
});
</script>`;

for (const [program, commandOf] of places.filter(([{ name }]) =>
  [firefox.name, webKitGtk.name].includes(name),
)) {
  describeWith(program)(`Tabs that share a connection, in ${program.name}`, () => {
    it('[L-5.2] two tabs use one connection, and when the leading one is closed the other misses nothing', async () => {
      const { url, live, controls } = await startClientApp();
      const reports: Report[] = [];
      const [bothStarted, ended] = [deferred<void>(), deferred<Report>()];
      const origin = await serveClient({ '/': page(url) }, (posted) => {
        void text(posted).then((body) => {
          const report = JSON.parse(body) as Report;
          reports.push(report);
          if (report.kind === 'end') ended.resolve(report);
          if (reports.filter(({ kind }) => kind === 'start').length === 2) bothStarted.resolve();
        });
      });
      const stderr = startProgram([...commandOf(origin, 'a'), `${origin}/#b`]);
      const stop = new AbortController();
      onTestFinished(() => stop.abort());
      const late = sleep(60_000, undefined, { signal: stop.signal }).then(() => {
        throw new Error(`The tabs did not end: ${JSON.stringify(reports)} ${stderr()}`);
      });
      await Promise.race([bothStarted.promise, late]);
      const sockets = (): string[] => reports.filter(({ kind }) => kind === 'socket').map(({ tab }) => tab);
      const [leader = '', ...more] = sockets();
      expect(more).toEqual([]);
      expect(await controls.count('ann')).toEqual({ connections: 1, subscriptions: 1 });
      for (let i = 1; i <= 150; i++) {
        await live.publish('history/a', { ...(i === 50 && { close: leader }), isLast: i === 150 });
        await sleep(10);
      }
      const report = await Promise.race([ended.promise, late]);
      const other = leader === 'a' ? 'b' : 'a';
      expect(report).toEqual({
        tab: other,
        kind: 'end',
        offsets: Array.from({ length: 150 }, (_, i) => i + 1),
        others: ['start'],
      });
      expect(sockets()).toEqual([leader, other]);
      expect((await controls.count('ann')).connections).toBe(1);
    }, 90_000);
  });
}
