// An instance that reads one topic in its own process, which a test can suspend:
// node standing-instance.mjs <url> <topic>, on the built package.
// Sends its state at the start and for each message: position, fresh starts, and publications.
import { NatsBroker } from '../../../dist/brokers/nats/index.js';

const [, , url, topic] = process.argv;
const limits = { count: 1_000, bytes: 10_000_000 };
const broker = new NatsBroker({ url });
const state = { position: { epoch: '', offset: 0 }, reported: 0, taken: {} };
let isReading = false;

function take(epoch, { offset, data }) {
  state.taken[`${epoch} ${offset}`] = data;
  state.position = { epoch, offset };
}

async function catchUp() {
  if (isReading) return;
  isReading = true;
  try {
    for (let isOver = false; !isOver;) {
      const { position } = state;
      const { top, missed } = await broker.read(topic, position, limits);
      isOver = missed?.length === 0 && top.epoch === position.epoch;
      if (missed === undefined) {
        state.reported += 1;
        state.position = top;
      } else {
        state.position = { epoch: top.epoch, offset: position.offset };
        for (const publication of missed) take(top.epoch, publication);
      }
    }
  } catch {
    setTimeout(catchUp, 100);
  } finally {
    isReading = false;
  }
}

broker.start({
  publication(_topic, epoch, publication) {
    const { position } = state;
    if (epoch === position.epoch && publication.offset <= position.offset) return;
    if (!isReading && epoch === position.epoch && publication.offset === position.offset + 1)
      take(epoch, publication);
    else void catchUp();
  },
  suspect: () => void catchUp(),
  availability: () => {},
  signal: () => {},
});
await broker.subscribe(topic);
state.position = (await broker.read(topic, undefined, limits)).top;
process.on('message', () => process.send(state));
process.on('disconnect', () => process.exit());
process.send(state);
