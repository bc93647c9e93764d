import { connect } from 'nestjs-live/client';
import { useEffect, useState } from 'react';

interface Vehicle {
  id: string;
  x: number;
  y: number;
}

const live = connect('/live', {
  async credential() {
    const response = await fetch('/token', { method: 'POST' });
    if (!response.ok) throw new Error(`No token: ${response.status}`); // retried with back-off
    return (await response.json()).token;
  },
});

export default function App() {
  const [state, setState] = useState<string>(live.state);
  const [vehicles, setVehicles] = useState<Record<string, Vehicle>>({});

  useEffect(() => live.on('status', (status) => setState(status.state)), []);
  useEffect(() => {
    const subscription = live.subscribe('fleet/7', (message) => {
      if (message.type === 'start' || message.type === 'lost')
        setVehicles((message.snapshot ?? {}) as Record<string, Vehicle>);
      if (message.type === 'event') {
        const vehicle = message.data as Vehicle;
        setVehicles((before) => ({ ...before, [vehicle.id]: vehicle }));
      }
    });
    return () => subscription.unsubscribe();
  }, []);

  return (
    <>
      <p>{state}</p>
      <svg viewBox="0 0 100 100" width="480" height="480">
        {Object.values(vehicles).map(({ id, x, y }) => (
          <circle key={id} cx={x} cy={y} r={3} />
        ))}
      </svg>
    </>
  );
}
