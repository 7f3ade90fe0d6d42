import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { type Ending, reportOf, reportOfUnstartable } from '../../../src/domain/outcome.ts';

const exited = (code: number, oomKilled = false): Ending => ({
  kind: 'exited',
  exit: { code, oomKilled },
});

test.each<[string, Ending, string | undefined, number, string, string]>([
  ['returned', exited(0), '42', JOB_STATUS.SUCCEEDED, '42', 'err'],
  ['returned nothing', exited(0), '', JOB_STATUS.SUCCEEDED, '', 'err'],
  [
    'exited with 0 without returning',
    exited(0),
    undefined,
    JOB_STATUS.FAILED,
    '',
    'before the handler returned',
  ],
  ['failed after it returned', exited(3), '42', JOB_STATUS.FAILED, '', 'exit code 3'],
  ['was out of memory', exited(137, true), undefined, JOB_STATUS.FAILED, '', 'more memory'],
  ['crashed', exited(139), undefined, JOB_STATUS.FAILED, '', 'SIGSEGV'],
  ['ran too long', { kind: 'deadline', timeoutMs: 1500 }, '42', JOB_STATUS.TIMEOUT, '', 'longer than 1.5 s'],
  [
    'wrote too much',
    { kind: 'limit', what: 'too much disk' },
    undefined,
    JOB_STATUS.FAILED,
    '',
    'too much disk',
  ],
])('a job that %s', (_, ending, result, status, reported, said) => {
  const report = reportOf(ending, { stdout: 'out', stderr: 'err', result }, 'logs');
  expect(report).toMatchObject({ status, result: reported, stdout: 'out', buildLogs: 'logs' });
  expect(report.stderr.startsWith('err')).toBe(true);
  expect(report.stderr).toContain(said);
});

test('a job that cannot be started fails, with the reason on stderr', () => {
  expect(reportOfUnstartable('no handler', 'logs')).toEqual({
    status: JOB_STATUS.FAILED,
    buildLogs: 'logs',
    stdout: '',
    stderr: '[sharedcloud-agent] no handler\n',
    result: '',
  });
});
