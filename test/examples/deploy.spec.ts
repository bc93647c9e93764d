import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { resolveOptions } from '../../src/nest/module/resolve-options.js';
import { describeWith, kubernetesModels, systemd } from '../support/programs.js';

const guide = readFileSync(resolve(import.meta.dirname, '../../docs/deploy.md'), 'utf8');

/** The guide's first code block in a language. */
function printed(language: string): string {
  const [, text = ''] = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(guide) ?? [];
  expect(text).not.toBe('');
  return text;
}

const { drainNoticeMs, drainTimeoutMs, drainWindowMs } = resolveOptions({});
/** The longest that a drain takes by default. */
const drainMs = drainNoticeMs + drainTimeoutMs;
/** Time for the rest of an application to stop. */
const spareMs = 5_000;

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly minReadySeconds: number;
    readonly selector: { readonly matchLabels: unknown };
    readonly template: {
      readonly metadata: { readonly labels: unknown };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
            readonly readinessProbe: { readonly httpGet: { readonly path: string } };
            readonly livenessProbe: { readonly httpGet: { readonly path: string } };
          },
        ];
      };
    };
  };
}

const manifests = (): Manifest[] => parseAllDocuments(printed('yaml')).map((each) => each.toJS() as Manifest);

function manifestOf(kind: string): Manifest {
  const found = manifests().find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`The guide has no ${kind}`);
  return found;
}

describe('docs/deploy.md', () => {
  it('the window of a drain fits into its timeout', () => {
    expect(drainWindowMs).toBeLessThan(drainTimeoutMs);
  });

  it('systemd waits longer than a drain before it kills the server', () => {
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(printed('ini')) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThanOrEqual(drainMs + spareMs);
  });

  it('PM2 waits longer than a drain before it kills the server, and waits until the application is ready', () => {
    const sandbox = { module: { exports: {} } };
    runInNewContext(printed('js'), sandbox);
    const { apps } = sandbox.module.exports as { apps: [Record<string, unknown>] };
    expect(apps[0]).toMatchObject({ exec_mode: 'cluster', wait_ready: true });
    expect(apps[0]['kill_timeout']).toBeGreaterThanOrEqual(drainMs + spareMs);
  });

  it('Kubernetes waits longer than the hook and a drain before it kills the server', () => {
    const { minReadySeconds, template } = manifestOf('Deployment').spec;
    const [container] = template.spec.containers;
    const stopMs = container.lifecycle.preStop.sleep.seconds * 1_000 + drainMs;
    expect(template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(stopMs + spareMs);
    expect(minReadySeconds * 1_000).toBeGreaterThanOrEqual(stopMs);
  });

  it('Kubernetes asks readiness and liveness at their own paths', () => {
    const [{ readinessProbe, livenessProbe }] = manifestOf('Deployment').spec.template.spec.containers;
    expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual([
      '/health/ready',
      '/health/live',
    ]);
  });

  it('the Deployment and its disruption budget select the same pods', () => {
    const { selector, template } = manifestOf('Deployment').spec;
    const budget = manifestOf('PodDisruptionBudget').spec.selector;
    expect([selector.matchLabels, budget.matchLabels]).toEqual([
      template.metadata.labels,
      template.metadata.labels,
    ]);
  });
});

describeWith(systemd)('docs/deploy.md: systemd-analyze', () => {
  it('systemd accepts every line of the unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'live.service');
    writeFileSync(file, printed('ini').replace('/usr/bin/node', process.execPath));
    // A line that it does not know is only a warning.
    expect(execFileSync('sh', ['-c', 'systemd-analyze verify "$0" 2>&1', file], { encoding: 'utf8' })).toBe(
      '',
    );
  });
});

describeWith(kubernetesModels)('docs/deploy.md: the schema of Kubernetes', () => {
  it('each manifest follows the schema of its kind', () => {
    const require = createRequire(kubernetesModels.folder);
    for (const manifest of manifests()) {
      type Model = new (data: unknown) => { validate(): void };
      const models = require(`kubernetes-models/${manifest.apiVersion}`) as Record<string, Model>;
      const Model = models[manifest.kind];
      if (Model === undefined) throw new Error(`There is no ${manifest.kind} in ${manifest.apiVersion}`);
      expect(() => new Model(manifest).validate()).not.toThrow();
    }
  });
});
