// Cars that a server renders. It has them from somewhere else, and the page from the server.
import { LiveProvider, useCollection, useStatus } from 'nestjs-live/react';
import { StrictMode, Suspense } from 'react';

/** No live car has a negative place. */
const given = new Map(Array.from({ length: 20 }, (_, i) => [`car-${i}`, { x: i, y: -1 - i }]));

function Cars() {
  const { data, ready } = useCollection('cars');
  return (
    <ul>
      {[...(ready ? data : given)].map(([id, { x, y }]) => (
        <li key={id}>
          {id}: {x}, {y}
        </li>
      ))}
    </ul>
  );
}

function Count() {
  return (
    <p className="count">{useCollection('cars', { suspense: true, select: ({ data }) => data.size })}</p>
  );
}

function Status() {
  return <p className="state">{useStatus().state}</p>;
}

export function App({ client }) {
  return (
    <StrictMode>
      <LiveProvider client={client}>
        <Status />
        <Cars />
        <Suspense fallback={<p>…</p>}>
          <Count />
        </Suspense>
      </LiveProvider>
    </StrictMode>
  );
}
