import vue from '@vitejs/plugin-vue';

// In development Vite serves the page, and the server the WebSockets.
export default {
  plugins: [vue()],
  server: { proxy: { '/live': { target: 'ws://localhost:3000', ws: true } } },
};
