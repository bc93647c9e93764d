import { connect, type LiveStatus } from 'nestjs-live/client';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';

interface Vitals {
  readonly memoryBytes: number;
  readonly uptimeMs: number;
}

// One client for the page. At module scope it is safe even if a server renders the page.
const live = connect<{ vitals: Vitals }>('/live');

function useVitals(): Vitals | undefined {
  const [vitals, setVitals] = useState<Vitals>();
  useEffect(() => {
    const subscription = live.subscribe('vitals', (message) => {
      if (message.type === 'event' && !message.removed) setVitals(message.data);
      if (message.type === 'start' || message.type === 'lost')
        setVitals(message.snapshot as Vitals | undefined);
    });
    return () => subscription.unsubscribe();
  }, []);
  return vitals;
}

const useLiveState = (): LiveStatus['state'] =>
  useSyncExternalStore(
    (changed) => live.on('status', changed),
    () => live.state,
  );

function Dashboard() {
  const vitals = useVitals();
  return (
    <main>
      <p id="state">{useLiveState()}</p>
      {vitals && <p id="memory">{Math.round(vitals.memoryBytes / 1_048_576)} MB</p>}
      {vitals && <p>up for {Math.round(vitals.uptimeMs / 1_000)} s</p>}
    </main>
  );
}

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<Dashboard />);
