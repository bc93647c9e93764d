import react from '@vitejs/plugin-react';

// In development Vite serves the page, and the server the WebSockets.
export default {
  plugins: [react()],
  server: { proxy: { '/live': { target: 'ws://localhost:3000', ws: true } } },
};
