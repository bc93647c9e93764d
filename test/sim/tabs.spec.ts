import { describe, expect, it } from 'vitest';
import type { Incoming } from '../../src/client/port.js';
import type { Member, MemberLink } from '../../src/tabs/member.js';
import { SharedTopic } from '../../src/tabs/shared-topic.js';
import { SharedWire } from '../../src/tabs/shared-wire.js';
import { simulate } from '../../src/testing/sim/simulate.js';
import type { MakeTopics } from '../../src/testing/sim/sim-topic.js';
import { thorough } from '../support/thorough.js';
import { replace } from './plant.js';

const runs = Number(process.env['TABS_RUNS'] ?? (thorough ? 2_000 : 60));

const collected: MakeTopics = () =>
  ['keys', 'cars', 'orders'].map((name) => ({
    name,
    latest: 'last-per-key',
    removes: true,
    collected: true,
  }));

/** Keeps messages of a kind from the tabs. */
const withhold = (isKept: (message: Incoming) => boolean) => (): (() => void) =>
  replace<SharedTopic, [Incoming, string], void>(
    SharedTopic,
    'message',
    (take) =>
      function (message, text) {
        if (!isKept(message)) take.call(this, message, text);
      },
  );

/** Mistakes of the connection that tabs share. */
const mistakes: Readonly<Record<string, () => () => void>> = {
  'no tab hears of the fresh start that the server pushes': withhold(
    (message) => message.type === 'subscribed' && message.id === undefined,
  ),
  'a tab that joins gets no welcome': () =>
    replace<SharedWire, [Member], MemberLink>(
      SharedWire,
      'add',
      (add) =>
        function (member) {
          return add.call(this, {
            ...member,
            message: (text) => text.includes('welcome') || member.message(text),
          });
        },
    ),
};

describe('Simulation of tabs that share a connection', () => {
  it(
    `[L-5.2] each of three tabs gets everything in ${String(runs)} seeds, also if the leader crashes or is frozen`,
    { timeout: Math.max(60_000, runs * 120) },
    async () => {
      expect((await simulate({ seed: 1, runs, tabs: 3 })).failure?.report).toBeUndefined();
    },
  );

  it(
    `[L-6.10] collections of three tabs equal the state of their topics in ${String(runs)} seeds`,
    { timeout: Math.max(60_000, runs * 120) },
    async () => {
      expect((await simulate({ seed: 1, runs, tabs: 3, topics: collected })).failure?.report).toBeUndefined();
    },
  );

  it.each(Object.keys(mistakes))(
    'the simulation of tabs finds that %s',
    async (name) => {
      const remove = mistakes[name]?.();
      try {
        expect((await simulate({ seed: 1, runs: 100, tabs: 3 })).failure).toBeDefined();
      } finally {
        remove?.();
      }
    },
    60_000,
  );
});
