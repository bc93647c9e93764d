import { Group } from '../../tabs/group.js';
import { socketsOver } from '../../tabs/shared-socket.js';
import type { Position } from '../../protocol/position.js';
import { AppPeer } from './app-peer.js';
import type { Participant, Surroundings } from './participant.js';
import { SimBrowser, SimTab } from './sim-browser.js';
import type { SimLink } from './sim-link.js';
import type { Grant } from './step.js';

const maxFrozenMs = 3_500;

interface Tab {
  readonly peer: AppPeer;
  readonly sim: SimTab;
  /** The page is closed. */
  close(): void;
}

/** The tabs of one browser, which share a connection. They close, crash and stand still. */
export class TabsPeer implements Participant {
  private readonly browser: SimBrowser;
  private readonly tabs: Tab[] = [];
  private grant: Grant = { rights: 2 ** 31 - 1 };
  private made = 0;

  constructor(
    private readonly name: string,
    readonly userId: string,
    private readonly world: Surroundings,
    count: number,
  ) {
    this.browser = new SimBrowser(world.timeline, () => world.random());
    for (let i = 0; i < count; i++) this.tabs.push(this.make());
  }

  get link(): SimLink | undefined {
    const links = this.tabs.map(({ peer }) => peer.link).filter((link) => link !== undefined);
    return links.find(({ finished }) => !finished) ?? links.at(-1);
  }

  connect(grant: Grant): void {
    this.grant = lasting(grant);
    for (const { peer } of this.tabs) peer.connect(this.grant);
  }

  subscribe(topic: string, since: Position | undefined): void {
    this.any().peer.subscribe(topic, since);
    this.mishap();
  }

  unsubscribe(topic: string): void {
    const { peer } = this.tabs.find((tab) => tab.peer.reads(topic)) ?? this.any();
    peer.unsubscribe(topic);
  }

  publish(topic: string, data: unknown, key: string | undefined): void {
    this.any().peer.publish(topic, data, key);
    this.mishap();
  }

  renew(grant: Grant): void {
    this.grant = lasting(grant);
    for (const { peer } of this.tabs) peer.renew(this.grant);
  }

  odd(): void {}

  /** Something happens to a tab, most likely the leader. */
  private mishap(): void {
    if (this.world.random() < 0.8) return;
    const chance = this.world.random();
    const leader = this.tabs.findIndex(({ peer }) => peer.link?.finished === false);
    const index = leader >= 0 && chance < 0.8 ? leader : Math.floor(this.world.random() * this.tabs.length);
    const tab = this.tabs[index];
    if (tab === undefined) return;
    if (chance < 0.4) {
      this.world.note(`${this.name} tab ${String(index)} is frozen`);
      tab.sim.freeze(500 + this.world.random() * (maxFrozenMs - 500));
      return;
    }
    this.world.note(`${this.name} tab ${String(index)} crashes`);
    tab.sim.crash();
    tab.peer.link?.cut(0, 0);
    tab.close();
    this.tabs[index] = this.make();
  }

  online(): void {
    for (const { peer } of this.tabs) peer.online();
  }

  leave(): void {
    for (const tab of this.tabs) tab.close();
    this.tabs.splice(0, Infinity, ...this.tabs.map(() => this.make()));
  }

  position(topic: string): Position | undefined {
    return this.tabs.map(({ peer }) => peer.position(topic)).find((position) => position !== undefined);
  }

  checkAtRest(): void {
    for (const { peer } of this.tabs) peer.checkAtRest();
    const open = this.tabs.filter(({ peer }) => peer.link?.finished === false).length;
    if (open > 1) this.world.tell('leftover', `${this.name} has ${String(open)} connections`);
  }

  private any(): Tab {
    const tab = this.tabs[Math.floor(this.world.random() * this.tabs.length)];
    if (tab === undefined) throw new Error('There is no tab');
    return tab;
  }

  private make(): Tab {
    const sim = new SimTab(this.browser);
    let group: Group | undefined;
    const name = `${this.name}.${String((this.made += 1))}`;
    const peer = new AppPeer(name, this.userId, this.world, (own, platform) =>
      socketsOver((member, url, token) => {
        group ??= new Group('tabs', sim.platform(platform, own), () => (group = undefined));
        return group.dial(member, url, token);
      }),
    );
    peer.renew(this.grant);
    const close = (): void => {
      peer.leave();
      group?.end();
    };
    return { peer, sim, close };
  }
}

/**
 * A credential that outlives a frozen tab. A client whose handshakes fail asks for another one only
 * every 30 s, which is longer than a run.
 */
function lasting({ rights, expiresInMs }: Grant): Grant {
  return { rights, ...(expiresInMs !== undefined && { expiresInMs: expiresInMs + maxFrozenMs }) };
}
