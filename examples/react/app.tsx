import { connect } from 'nestjs-live/client';
import { debug } from 'nestjs-live/client/debug';
import { LiveProvider, useCollection, useStatus } from 'nestjs-live/react';
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';

interface Car {
  readonly x: number;
  readonly y: number;
}

const live = connect<{ cars: Car }>('/live');
debug(live); // then `live.debug()` in the console

declare module 'nestjs-live/react' {
  interface Register {
    client: typeof live;
  }
}

function Status() {
  return <p id="state">{useStatus().state}</p>;
}

/** Renders only if its car has moved. */
function Row({ id }: { id: string }) {
  const car = useCollection('cars', { select: ({ data }) => data.get(id) });
  return (
    <li>
      {id}: {car?.x}, {car?.y}
    </li>
  );
}

function Cars() {
  const count = useCollection('cars', { suspense: true, select: ({ data }) => data.size });
  return (
    <ul>
      {Array.from({ length: count }, (_, i) => (
        <Row key={i} id={`car-${i}`} />
      ))}
    </ul>
  );
}

const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <LiveProvider client={live}>
        <Status />
        <Suspense fallback={<p>…</p>}>
          <Cars />
        </Suspense>
      </LiveProvider>
    </StrictMode>,
  );
