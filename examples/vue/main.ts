import { connect } from 'nestjs-live/client';
import { livePlugin } from 'nestjs-live/vue';
import { createApp } from 'vue';
import App from './App.vue';

interface Car {
  readonly x: number;
  readonly y: number;
}

const live = connect<{ cars: Car }>('/live');

declare module 'nestjs-live/vue' {
  interface Register {
    client: typeof live;
  }
}

createApp(App).use(livePlugin(live)).mount('#root');
