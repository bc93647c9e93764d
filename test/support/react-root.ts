import { onTestFinished } from 'vitest';
import type { ReactNode } from 'react';

/** As much of a DOM as React needs for components that render text or nothing. */
class FakeNode {
  readonly nodeName = 'DIV';
  readonly tagName = 'DIV';
  readonly namespaceURI = 'http://www.w3.org/1999/xhtml';
  readonly style = {};
  readonly childNodes: (FakeNode | string)[] = [];
  #text = '';

  constructor(
    readonly nodeType: number,
    readonly ownerDocument: unknown = undefined,
  ) {}

  addEventListener(): void {}
  removeEventListener(): void {}
  setAttribute(): void {}

  appendChild(child: FakeNode): void {
    this.childNodes.push(child);
  }

  insertBefore(child: FakeNode): void {
    this.childNodes.unshift(child);
  }

  removeChild(child: FakeNode): void {
    this.childNodes.splice(this.childNodes.indexOf(child), 1);
  }

  set textContent(text: string) {
    this.#text = text;
    this.childNodes.splice(0);
  }

  get textContent(): string {
    return this.#text + this.childNodes.map((child) => (child as FakeNode).textContent).join('');
  }

  set nodeValue(text: string) {
    this.#text = text;
  }

  get firstChild(): unknown {
    return this.childNodes[0] ?? null;
  }
}

/** A root of React without a browser. */
export interface ReactRoot {
  /** Renders, and runs every effect. */
  render(node: ReactNode): Promise<void>;
  /** Runs what `change` causes, with every effect. */
  act(change: () => unknown): Promise<void>;
  /** What is shown. */
  readonly text: string;
}

/** Unmounts at the end of the test. */
export async function reactRoot(): Promise<ReactRoot> {
  const globals = globalThis as Record<string, unknown>;
  const before = { window: globals['window'], act: globals['IS_REACT_ACT_ENVIRONMENT'] };
  globals['window'] = { HTMLIFrameElement: class {}, addEventListener() {}, removeEventListener() {} };
  globals['IS_REACT_ACT_ENVIRONMENT'] = true;
  const [{ act }, { createRoot }] = await Promise.all([import('react'), import('react-dom/client')]);
  const owner: Record<string, unknown> = {
    nodeType: 9,
    activeElement: null,
    addEventListener() {},
    createElement: () => new FakeNode(1, owner),
    createTextNode: (text: string) => Object.assign(new FakeNode(3, owner), { nodeValue: text }),
    defaultView: globals['window'],
  };
  const container = new FakeNode(1, owner);
  const root = createRoot(container as never);
  const settled = (change: () => unknown): Promise<void> =>
    act(async () => {
      await change();
    });
  onTestFinished(async () => {
    await settled(() => root.unmount());
    globals['window'] = before.window;
    globals['IS_REACT_ACT_ENVIRONMENT'] = before.act;
  });
  return {
    render: (node) => settled(() => root.render(node)),
    act: settled,
    get text() {
      return container.textContent;
    },
  };
}
