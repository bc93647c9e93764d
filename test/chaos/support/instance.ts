import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

export interface InstanceSettings {
  /** URL of the engine. */
  readonly broker: string;
  /** 0 uses a free port. */
  readonly port: number;
  /** Publications kept per topic. */
  readonly history: number;
  /** Number of its first publication. */
  readonly first: number;
  /** URL through which a naive bridge subscribes. */
  readonly pubsub?: string;
  /** More options of its broker. */
  readonly options?: object | undefined;
}

export interface InstanceFigures {
  readonly heapUsed: number;
  readonly rss: number;
  readonly refused: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly slowestRefusalMs: number;
}

type Acknowledgement = readonly [topic: string, n: number, epoch: string, offset: number];

type Said =
  | { readonly said: 'listening'; readonly sockets: string; readonly http: string }
  | { readonly said: 'acknowledged'; readonly list: readonly Acknowledgement[] }
  | { readonly said: 'stopped' }
  | ({ readonly said: 'figures' } & InstanceFigures);

/** An application in its own process, which can be killed. */
export class Instance {
  sockets = '';
  private http = '';
  private readonly ended: Promise<void>;
  private readonly waiting = new Map<Said['said'], (said: Said) => void>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly onAcknowledged: (list: readonly Acknowledgement[]) => void,
  ) {
    this.ended = new Promise((done) => {
      child.once('exit', () => done());
    });
    child.on('message', (said: Said) => {
      if (said.said === 'acknowledged') this.onAcknowledged(said.list);
      this.waiting.get(said.said)?.(said);
    });
    child.on('error', () => {});
  }

  /** Resolves once it listens, even without its engine. The caller kills it. */
  static async start(
    settings: InstanceSettings,
    onAcknowledged: (list: readonly Acknowledgement[]) => void,
    program = 'instance.mjs',
  ): Promise<Instance> {
    if (!existsSync(join(root, 'dist/index.js'))) execFileSync('node', ['scripts/build.mjs'], { cwd: root });
    const child = fork(join(import.meta.dirname, program), [JSON.stringify(settings)], { execArgv: [] });
    const instance = new Instance(child, onAcknowledged);
    const { sockets, http } = await instance.next('listening');
    instance.sockets = sockets;
    instance.http = http.replace('[::1]', '127.0.0.1');
    return instance;
  }

  /** Starts to publish. Acknowledgements go to `onAcknowledged`. */
  publish(topics: readonly string[], perSecond: number): void {
    this.child.send({ do: 'publish', topics, perSecond });
  }

  /** Resolves once no publication is open. */
  async stopPublishing(): Promise<void> {
    this.child.send({ do: 'stop' });
    await this.next('stopped');
  }

  async figures(): Promise<InstanceFigures> {
    this.child.send({ do: 'figures' });
    return this.next('figures');
  }

  async health(which: 'live' | 'ready'): Promise<number> {
    return (await fetch(`${this.http}/health/${which}`)).status;
  }

  /** Suspends the process and keeps its connections open, as on a suspended machine. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private async next<S extends Said['said']>(what: S): Promise<Extract<Said, { said: S }>> {
    const said = new Promise<Said>((done) => {
      this.waiting.set(what, done);
    });
    const answer = await Promise.race([said, this.ended]);
    if (answer === undefined) throw new Error(`The instance ended before it sent "${what}"`);
    return answer as Extract<Said, { said: S }>;
  }
}
