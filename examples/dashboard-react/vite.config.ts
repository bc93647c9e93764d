import { defineConfig } from 'vite';

export default defineConfig({
  // In development Vite serves the page, and Nest the WebSockets. The page's origin is Vite's, so
  // `allowedOrigins` lists it.
  server: { proxy: { '/live': { target: 'ws://localhost:3000', ws: true } } },
});
