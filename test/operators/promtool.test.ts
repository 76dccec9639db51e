import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cli, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { runProgram } from './program.js';

/** Prometheus' own tool looks at what a real coordinator serves, and at what operators are given. */
const MONITORING = fileURLToPath(new URL('../../infra/monitoring/', import.meta.url));
const promtool = (args: readonly string[], input = '') =>
  runProgram('promtool', args, input, 'it comes with Prometheus (apt-get install prometheus)');

let workplace: Workplace;
let run: Cli;
let url: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  const path = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment());
  run = workplace.start(['run', path, '--run-id', 'seen', '--workers', '1', '--serve', '0'], {
    NESGD_SECRET: '',
  });
  url = await until('it serves', async () => /dashboard: (http:\S+)/.exec(run.stderr)?.[1]);
});
afterAll(async () => {
  run?.child.kill('SIGINT');
  await run?.exited;
  await workplace?.destroy();
});

async function scrape(): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

it('promtool check metrics passes on a scrape before, during and after the work', async () => {
  const phases = [
    ['begun', /^nesgd_run_running\{run="seen"\} 1$/m],
    ['measured', /^nesgd_individuals_evaluated_total\{run="seen"\} [1-9]/m],
    ['finished', /^nesgd_runs\{state="finished"\} 1$/m],
  ] as const;
  for (const [phase, sign] of phases) {
    const metrics = await until(`it has ${phase}`, async () => {
      const text = await scrape();
      return sign.test(text) && text;
    });
    expect(await promtool(['check', 'metrics'], metrics)).toEqual({ code: 0, said: '' });
  }
});

it('promtool check metrics finds what is wrong, as this test would', async () => {
  const { code, said } = await promtool(['check', 'metrics'], '# TYPE wrong_total gauge\nwrong_total 1\n');
  expect(code).not.toBe(0);
  expect(said).toContain('wrong_total');
});

it('promtool check rules and check config pass on infra/monitoring', async () => {
  const rules = await promtool(['check', 'rules', '--lint-fatal', join(MONITORING, 'alerts.yml')]);
  expect(rules, rules.said).toMatchObject({ code: 0, said: expect.stringContaining('7 rules found') });
  const config = await promtool(['check', 'config', join(MONITORING, 'prometheus.yml')]);
  expect(config, config.said).toMatchObject({ code: 0 });
});

it('promtool test rules: alerts fire when they should, and not before', async () => {
  const path = join(workplace.folder, 'alerts.test.json');
  const series = (name: string, values: string) => ({ series: name, values });
  /** @param fires undefined: it does not. */
  const at = (eval_time: string, alertname: string, fires?: { labels: object; summary: string }) => ({
    eval_time,
    alertname,
    exp_alerts: fires ? [{ exp_labels: fires.labels, exp_annotations: { summary: fires.summary } }] : [],
  });
  const tests = [
    {
      interval: '1m',
      input_series: [series('up{job="nesgd"}', '1x5 0x20')],
      alert_rule_test: [
        at('8m', 'NesgdDashboardDown'),
        at('20m', 'NesgdDashboardDown', {
          labels: { job: 'nesgd', severity: 'warning' },
          summary: 'The dashboard of nesgd does not answer; nothing is known of its runs.',
        }),
      ],
    },
    {
      interval: '1m',
      input_series: [
        series('nesgd_jobs{run="r",state="waiting"}', '4x60'),
        series('nesgd_jobs{run="r",state="active"}', '2x20 0x40'),
      ],
      alert_rule_test: [
        at('25m', 'NesgdNobodyWorks'),
        at('40m', 'NesgdNobodyWorks', {
          labels: { run: 'r', state: 'waiting', severity: 'critical' },
          summary: 'Jobs of run r wait, and no worker takes them.',
        }),
      ],
    },
    {
      interval: '1m',
      input_series: [series('nesgd_job_retries_total{run="r"}', '0x30 0+1x30')],
      alert_rule_test: [
        at('30m', 'NesgdJobsFailing'),
        at('50m', 'NesgdJobsFailing', {
          labels: { run: 'r', severity: 'warning' },
          summary: 'Jobs of run r are done again and again; its log says why.',
        }),
      ],
    },
  ];
  await writeFile(path, JSON.stringify({ rule_files: [join(MONITORING, 'alerts.yml')], tests }));
  const { code, said } = await promtool(['test', 'rules', path]);
  expect(code, said).toBe(0);
});
