import { OPTIONS } from '../../config/options.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { HostPlan } from '../../domain/plan-offers.ts';
import type { CheckResult } from '../check/check-result.ts';
import { count } from '../count.ts';
import type { FilePlan } from './changes.ts';
import { diffText } from './diff.ts';

/** What setup has done, as its JSON. */
export type SetUp = {
  readonly account: string | null;
  readonly tokenFile: string;
  readonly token: 'kept' | 'written';
  readonly configFile: string;
  readonly config: 'unchanged' | 'written';
  /** The copy of the file that was there; null: there was none, or it is unchanged. */
  readonly backup: string | null;
  /** The names of the checks that failed. */
  readonly failedChecks: readonly string[];
  readonly network: 'up' | 'failed' | 'skipped';
  readonly service: 'running' | 'failed' | 'skipped';
};

/** What is wrong with this host, each with its hint. */
export function wrongText(wrong: readonly CheckResult[]): string {
  return wrong
    .map(({ check, found, hint, level }) => {
      const mark = level === 'fail' ? 'FAIL' : 'warn';
      return `${mark}  ${check}: ${found}${hint === undefined ? '' : `\n      hint: ${hint}`}`;
    })
    .join('\n');
}

/** The GPUs, and what the broker's catalogue has for each. */
export function gpusText(gpus: readonly Gpu[], { offers, problems }: HostPlan): string {
  return gpus
    .map(({ index, memoryTotalMiB, model, powerLimitW, uuid }) => {
      const offer = offers.find(({ slots }) => slots.some((slot) => slot.gpu === uuid));
      const facts = [
        ...(memoryTotalMiB === undefined ? [] : [`${Math.round(memoryTotalMiB / 1024)} GB`]),
        ...(powerLimitW === undefined ? [] : [`${Math.round(powerLimitW)} W`]),
      ];
      const problem = problems.find(({ what }) => what.includes(uuid));
      const match = offer?.gpu?.name ?? problem?.why ?? 'unknown: the broker’s catalogue was not read';
      const about = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
      return `GPU ${index}  ${model}${about}\n  at the broker: ${match}`;
    })
    .join('\n');
}

/** What will be in the file: all of it where it is new, else what changes. */
export function fileText({ after, before }: FilePlan): string {
  return before === undefined ? after.trimEnd() : diffText(before, after);
}

/** What was done, and what to do next. */
export function setUpText(done: SetUp): string {
  const isService = done.configFile === OPTIONS.configFile.default;
  const sudo = isService ? 'sudo ' : '';
  const named = isService ? '' : ` --config ${done.configFile}`;
  const next =
    done.service === 'running'
      ? [
          ['see it in a browser', `${sudo}sharedcloud-agent page`],
          ['what it does now', `${sudo}sharedcloud-agent status`],
          ['which runs it takes', `${sudo}sharedcloud-agent market`],
          ['try a job first', 'sharedcloud-agent dry-run'],
        ]
      : [
          ['try a job first', 'sharedcloud-agent dry-run'],
          ['what is missing', `${sudo}sharedcloud-agent check${named}`],
          [
            'start it',
            isService ? `sudo systemctl enable --now sharedcloud-agent` : `sharedcloud-agent start${named}`,
          ],
        ];
  const lines = [
    `${done.configFile} ${done.config}${done.backup === null ? '' : `; the old one is ${done.backup}`}`,
    `${done.tokenFile} ${done.token}${done.account === null ? '' : `, account ${done.account}`}`,
    `job network ${done.network}, service ${done.service}`,
    ...(done.failedChecks.length === 0
      ? []
      : [`${count(done.failedChecks.length, 'check')} failed: ${done.failedChecks.join(', ')}`]),
    '',
    ...next.map(([what = '', line = '']) => `${`${what}:`.padEnd(22)}${line}`),
  ];
  return `${lines.join('\n')}\n`;
}
