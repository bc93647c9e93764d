// The page of bindings.e2e-spec.ts: 50 components in strict mode show one topic. It counts their
// renders for each frame, and checks after each commit that all show the same state.
import { connect } from 'nestjs-live/client';
import { LiveProvider, useCollection } from 'nestjs-live/react';
import { StrictMode, useLayoutEffect } from 'react';
import { createRoot } from 'react-dom/client';

const count = 50;
const live = connect('/live');
const shown = [];
const figures = { renders: 0, frames: 0, mostInAFrame: 0, torn: 0 };
window.figures = figures;

const inFrame = new Map();
let frame = 0;

function Shows({ id }) {
  const { data } = useCollection('cars');
  useLayoutEffect(() => {
    const now = document.timeline.currentTime;
    if (now !== frame) {
      frame = now;
      figures.frames += 1;
      inFrame.clear();
    }
    figures.renders += 1;
    const renders = (inFrame.get(id) ?? 0) + 1;
    inFrame.set(id, renders);
    figures.mostInAFrame = Math.max(figures.mostInAFrame, renders);
    shown[id] = data;
    queueMicrotask(() => {
      if (shown.length === count && new Set(shown).size > 1) figures.torn += 1;
    });
  });
  return <li>{data.size}</li>;
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <LiveProvider client={live}>
      {Array.from({ length: count }, (_, id) => (
        <Shows key={id} id={id} />
      ))}
    </LiveProvider>
  </StrictMode>,
);
