import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DASHBOARD, dashboardText } from '../../../scripts/monitoring/dashboard.ts';
import { ROWS } from '../../../scripts/monitoring/panels.ts';
import { describePrometheus, promtool } from '../../support/prometheus/describe.ts';
import { unknownNames } from '../../support/prometheus/names.ts';

const MONITORING = 'packaging/monitoring';

test('the dashboard is what its panels say', () => {
  expect(readFileSync(DASHBOARD, 'utf8')).toBe(dashboardText());
});

test('panels and alerts ask for nothing but what the agent exposes', () => {
  const queries = ROWS.flatMap(({ panels }) =>
    panels.flatMap((panel) => panel.queries.map(({ expr }) => expr)),
  );
  expect(queries.length).toBeGreaterThan(25);
  expect(queries.flatMap(unknownNames)).toEqual([]);
  const rules = readFileSync(join(MONITORING, 'alerts.yml'), 'utf8');
  const exprs = [...rules.matchAll(/^ {8}expr: (.*(?:\n {10}.*)*)/gm)].map(([, expr = '']) => expr);
  expect(exprs.length).toBe(rules.match(/- alert:/g)?.length);
  expect(exprs.flatMap(unknownNames)).toEqual([]);
  expect(unknownNames('sum(sharedcloud_agent_of_nobody)')).toEqual(['sharedcloud_agent_of_nobody']);
});

describePrometheus('by promtool', () => {
  test('each alert fires when it should, and not before', () => {
    expect(promtool(['test', 'rules', 'test/support/prometheus/alerts.test.yml'])).toMatchObject({
      status: 0,
    });
  });

  test.each(['scrape.yml', 'scrape-fleet.yml'])('Prometheus reads %s where the documents put it', (name) => {
    const directory = mkdtempSync(join(tmpdir(), 'monitoring-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    writeFileSync(join(directory, 'token'), 'a token');
    writeFileSync(join(directory, 'hosts.yml'), readFileSync(join(MONITORING, 'targets.yml')));
    const debian = `rule_files:\n  - ${join(process.cwd(), MONITORING, 'alerts.yml')}\nscrape_configs:\n  - job_name: node\n    static_configs:\n      - targets: ['localhost:9100']\n`;
    const scrape = readFileSync(join(MONITORING, name), 'utf8')
      .replace('/etc/prometheus/sharedcloud-agent.token', join(directory, 'token'))
      .replace('/etc/prometheus/sharedcloud-agent/', `${directory}/hosts`);
    const config = join(directory, 'prometheus.yml');
    writeFileSync(config, `${debian}${scrape}`);
    expect(promtool(['check', 'config', config])).toMatchObject({ status: 0 });
  });
});
