import { describe, expect, it } from 'vitest';
import { createRenderer, createSSRApp, defineComponent, effectScope, h, nextTick, ref } from 'vue';
import { renderToString } from 'vue/server-renderer';
import { bindingWorld, event, start } from '../../test/support/binding-world.js';
import type { LiveClient } from '../client/index.js';
import { leaveAfterMs } from './shared.js';
import { livePlugin, useCollection, useLive, usePresence, usePublish, useStatus } from './vue.js';

/** Renders text and nothing else. */
function mount(client: LiveClient, setup: () => () => string) {
  const nothing = (): never => ({}) as never;
  const root = { text: '' };
  const { createApp } = createRenderer<object, object>({
    patchProp: nothing,
    insert: nothing,
    remove: nothing,
    createElement: nothing,
    createText: nothing,
    createComment: nothing,
    setText: nothing,
    setElementText: (_, text) => void (root.text = text),
    parentNode: nothing,
    nextSibling: nothing,
  });
  const app = createApp(
    defineComponent(() => {
      const text = setup();
      return () => h('p', text());
    }),
  );
  app.use(livePlugin(client)).mount(root);
  return { app, root };
}

describe('nestjs-live/vue', () => {
  it('[L-3.2] components that show one topic share a subscription, which ends after the last', async () => {
    const { client, tell, pass, wire } = await bindingWorld();
    const component = () => {
      const cars = useCollection('a');
      const status = useStatus();
      return () => `${status.value.state} ${JSON.stringify(Object.fromEntries(cars.value.data))}`;
    };
    const both = [mount(client, component), mount(client, component)];
    await tell(start(0, { x: 0 }), event(1, 'x', 1));
    expect(both.map(({ root }) => root.text)).toEqual(['open {"x":1}', 'open {"x":1}']);
    for (const { app } of both) app.unmount();
    await pass(leaveAfterMs + 1);
    expect(wire()).toMatchObject([{ type: 'subscribe' }, { type: 'unsubscribe' }]);
  });

  it('[L-4.1] a component renders once a frame', async () => {
    const { client, tell } = await bindingWorld();
    let renders = 0;
    mount(client, () => {
      const [cars, newest] = [useCollection('a'), useLive('a')];
      return () => `${String((renders += 1))} ${JSON.stringify([cars.value, newest.value])}`;
    });
    await tell(start(0, {}));
    renders = 0;
    await tell(...Array.from({ length: 50 }, (_, i) => event(i + 1, 'x', i)));
    expect(renders).toBe(1);
  });

  it('[L-3.6] a topic that changes ends the subscription before it, also in an effect scope', async () => {
    const { client, pass, wire } = await bindingWorld();
    const { app } = mount(client, () => () => '');
    const topic = ref<string | undefined>();
    const scope = effectScope();
    app.runWithContext(() =>
      scope.run(() => {
        useLive(topic, { initial: 0, apply: (n: number) => n + 1 });
        void usePublish('p')(1).catch(() => {});
      }),
    );
    topic.value = 'a';
    await nextTick();
    topic.value = 'b';
    await nextTick();
    await pass(leaveAfterMs + 1);
    scope.stop();
    await pass(leaveAfterMs + 1);
    expect(wire()).toMatchObject([
      { type: 'publish', topic: 'p', data: 1 },
      { type: 'subscribe', topic: 'a' },
      { type: 'subscribe', topic: 'b' },
      { type: 'unsubscribe', topic: 'a' },
      { type: 'unsubscribe', topic: 'b' },
    ]);
  });

  it('the composables open no connection on a server', async () => {
    const { client, wire } = await bindingWorld();
    const component = defineComponent(() => {
      const [cars, status, members] = [useCollection('a'), useStatus(), usePresence('a')];
      return () => h('p', [cars.value.data.size, status.value.state, members.value.data.length].join(' '));
    });
    const app = createSSRApp(component).use(livePlugin(client));
    expect(await renderToString(app)).toBe('<p>0 connecting 0</p>');
    expect(wire()).toEqual([]);
  });

  it('an application without the plugin is told what is missing', async () => {
    const app = createSSRApp(defineComponent(() => (useStatus(), () => h('p'))));
    app.config.warnHandler = () => {};
    await expect(renderToString(app)).rejects.toThrow('does not use livePlugin(client)');
  });
});
