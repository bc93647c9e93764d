import { defineConfig } from 'vite';

export default defineConfig({
  // In development Vite has the page, and Nest the sockets. The page's origin is Vite's: it is in `allowedOrigins`.
  server: { proxy: { '/live': { target: 'ws://localhost:3000', ws: true } } },
});
