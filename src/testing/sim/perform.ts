import type { Position } from '../../protocol/position.js';
import type { Participant } from './participant.js';
import type { Since, Step } from './step.js';
import type { World } from './world.js';

/** Performs one step at its time. */
export async function perform(world: World, step: Step): Promise<void> {
  if ('peer' in step) {
    const peer = world.participants[step.peer];
    if (peer !== undefined) performPeer(world, peer, step);
  } else if (step.do === 'stall') {
    await world.timeline.stall(step.ms);
  } else {
    performServer(world, step);
  }
}

function performPeer(world: World, peer: Participant, step: Step & { peer: number }): void {
  switch (step.do) {
    case 'connect':
      return peer.connect(step.grant);
    case 'subscribe':
      return peer.subscribe(step.topic, step.since && sinceOf(world, peer, step.topic, step.since));
    case 'unsubscribe':
      return peer.unsubscribe(step.topic);
    case 'publish':
      if (world.topic(step.topic)?.stored !== undefined) return undefined;
      return peer.publish(step.topic, world.next(step.topic, step.key).data, step.key);
    case 'auth':
      return peer.renew(step.grant, step.whose);
    case 'odd':
      return peer.odd(step.what);
    case 'leave':
      return peer.leave();
    case 'online':
      return peer.online();
    case 'draining': {
      const { reconnectAfterMs, windowMs } = step;
      return world.server.sendAway(peer.link, { reconnectAfterMs, windowMs });
    }
    case 'disconnect':
      world.server.live.registry.disconnect(peer.userId, step.code);
      return undefined;
    default:
      return performLink(peer, step);
  }
}

function performLink({ link }: Participant, step: Step): void {
  if (link === undefined) return;
  if (step.do === 'cut') link.cut(step.serverMs, step.clientMs);
  else if (step.do === 'silence') link.silence(step.way);
  else if (step.do === 'slow') link.slow = true;
  else if (step.do === 'read') link.read();
  else if (step.do === 'latency') {
    link.up.latencyMs = step.upMs;
    link.down.latencyMs = step.downMs;
  }
}

function performServer(world: World, step: Step): void {
  const { policy, broker, timeline, troubled, server } = world;
  switch (step.do) {
    case 'tell':
      return world.publish(step.topic, step.key);
    case 'flood':
      troubled.data.add(step.topic);
      return world.flood(step.topic, step.count, step.bytes);
    case 'rights':
      troubled.rights.add(step.topic);
      return void policy.rights.set(step.topic, step.manner);
    case 'snapshots':
      troubled.data.add(step.topic);
      world.behind.set(step.topic, step.behind);
      return void policy.snapshots.set(step.topic, step.manner);
    case 'verify':
      return void (policy.verifying = step.manner);
    case 'broker':
      if (step.fails !== undefined) troubled.data.add('');
      return void (broker.network.pace = step);
    case 'elsewhere':
      return world.publishElsewhere(step.topic, step.key);
    case 'busy':
      return timeline.keepBusy(step.ms);
    case 'drain':
      return void server.live.drain(step.timeoutMs, step);
    default:
      return performLoss(world, step);
  }
}

function performLoss({ broker, timeline, troubled }: World, step: Step): void {
  if (step.do === 'suspect') return broker.suspect(step.topic);
  if (step.do === 'lose') {
    troubled.data.add(step.topic);
    broker.lose(step.topic);
  } else if (step.do === 'mishap') {
    troubled.data.add(step.topic);
    broker.mishap(step.topic, step);
  } else if (step.do === 'back') {
    troubled.data.add('');
    broker.goBack(step.lostMs, step.awayMs);
  } else if (step.do === 'away') {
    troubled.data.add('');
    broker.network.goAway();
    timeline.in(step.ms, () => broker.network.comeBack());
  }
  return undefined;
}

/** The position from which a subscribe resumes, in the current state. */
function sinceOf(
  world: World,
  peer: Participant,
  topic: string,
  { from, back }: Since,
): Position | undefined {
  const foreign = world.policy.topics.find(
    ({ name }) => name !== topic && world.publications.top(name) !== undefined,
  );
  const at = {
    own: () => peer.position(topic),
    top: () => world.publications.top(topic),
    foreign: () => world.publications.top(foreign?.name ?? ''),
    unknown: () => ({ epoch: 'never', offset: 3 }),
  }[from]();
  return at && { epoch: at.epoch, offset: Math.max(0, at.offset - back) };
}
