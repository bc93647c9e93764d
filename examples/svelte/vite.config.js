import { svelte } from '@sveltejs/vite-plugin-svelte';

// In development Vite serves the page, and the server the WebSockets.
export default {
  plugins: [svelte()],
  server: { proxy: { '/live': { target: 'ws://localhost:3000', ws: true } } },
};
