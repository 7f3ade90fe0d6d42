import { JOB_STATUS } from '../../../src/domain/job.ts';
import { cancelled, givenBack, removedByOthers, signalled } from './effects.ts';
import { along, around, type JobEnd, lives, type Path } from './path.ts';

/** The broker is asked three times as often what it thinks we hold, in seconds. */
const SHORT_LEASE = 6;

const GOOD_END: JobEnd = { status: JOB_STATUS.SUCCEEDED, result: 'done', stdout: 'awake\n' };

/** Takes longer than anybody waits. */
const LONG_JOB = 60;

/** Every step of a job that goes well, in its order. */
const WELL = around(
  'journal.begin',
  'broker.claim',
  'journal.move claimed',
  'files.layOut',
  'runtime.create',
  'journal.move starting',
  'runtime.start',
  'journal.move running',
  'files.output',
  'runtime.wait',
  'journal.move finished',
  'runtime.remove',
  'files.remove',
  'broker.report',
  'journal.move reported',
);

const well = (from: number, to: number): Path => ({
  name: `a job that goes well, steps ${from + 1} to ${to} of ${WELL.length}`,
  end: GOOD_END,
  lives: lives(WELL.slice(from, to), { newJob: 0 }),
});

/** All ways that src/agent/ knows from a claim, or from a start, to the end. */
export const PATHS: readonly Path[] = [
  well(0, 10),
  well(10, 20),
  well(20, 30),
  {
    name: 'going on the market',
    end: GOOD_END,
    lives: lives(
      along(
        'broker.createInstance',
        'journal.rememberInstance',
        'broker.startInstance',
        'images.prepare',
        'broker.addImage',
        'broker.openJobs',
      ),
    ),
  },
  {
    name: 'a claim that is lost or refused',
    end: GOOD_END,
    lives: [
      ...lives(along('journal.move dropped'), { claims: { status: 409, taken: false } }),
      ...lives(along('journal.move dropped'), { claims: { status: 403, taken: false } }),
    ],
  },
  {
    name: 'a claim that took effect and was answered with nonsense',
    end: GOOD_END,
    lives: lives(along('journal.move releasing', 'broker.release', 'journal.move released'), {
      claims: { status: 400, taken: true },
    }),
  },
  {
    name: 'a release, since this host cannot start the container',
    end: GOOD_END,
    lives: lives(
      along(
        'runtime.list',
        'runtime.remove',
        'files.remove',
        'journal.move releasing',
        'broker.release',
        'journal.move released',
      ).map((step) => `after journal.begin, ${step}`),
      { fail: 'runtime.start' },
    ),
  },
  {
    name: 'a release, since somebody removed the container',
    end: GOOD_END,
    again: true,
    lives: lives(
      along('runtime.remove', 'files.remove', 'journal.move releasing', 'broker.release').map(
        (step) => `after runtime.start, ${step}`,
      ),
      { newJob: 4, meanwhile: removedByOthers },
    ),
  },
  {
    name: 'a job that runs out of its time',
    jobTimeout: '2s',
    end: { status: JOB_STATUS.TIMEOUT, result: '', stdout: '' },
    lives: lives(
      along('runtime.stop', 'journal.move finished', 'runtime.remove').map(
        (step) => `after runtime.start, ${step}`,
      ),
      { newJob: LONG_JOB },
    ),
  },
  {
    name: 'a job that the broker takes back',
    leaseSeconds: SHORT_LEASE,
    end: undefined,
    lives: [
      ...lives(['before broker.job', ...along('journal.move cancelling')], {
        newJob: LONG_JOB,
        meanwhile: cancelled,
      }),
      ...lives(
        along('runtime.stop', 'runtime.remove', 'files.remove', 'journal.move dropped').map(
          (step) => `after journal.move cancelling, ${step}`,
        ),
        { newJob: LONG_JOB, meanwhile: cancelled },
      ),
    ],
  },
  {
    name: 'recovery of a job that was being cancelled',
    leaseSeconds: SHORT_LEASE,
    end: undefined,
    lives: [
      { crash: 'after journal.move cancelling', newJob: LONG_JOB, meanwhile: cancelled },
      ...lives(along('runtime.list', 'runtime.remove', 'journal.move dropped', 'files.remove')),
    ],
  },
  {
    name: 'recovery of a claim that was not answered',
    end: GOOD_END,
    lives: [
      { crash: 'after broker.claim', newJob: 0 },
      ...lives(along('journal.move releasing', 'broker.release', 'journal.move released')),
    ],
  },
  {
    name: 'recovery of a job whose container was not to start yet',
    end: GOOD_END,
    lives: [
      { crash: 'after runtime.create', newJob: 0 },
      ...lives(along('journal.move releasing', 'runtime.list', 'runtime.remove', 'files.remove')),
    ],
  },
  {
    name: 'recovery of a job that was about to start',
    end: GOOD_END,
    lives: [
      { crash: 'after journal.move starting', newJob: 0 },
      ...lives(
        along(
          'runtime.start',
          'journal.move running',
          'runtime.wait',
          'journal.move finished',
          'broker.report',
          'journal.move reported',
        ),
      ),
    ],
  },
  {
    name: 'recovery of a job that ended while no agent was there',
    end: GOOD_END,
    lives: [
      {
        crash: 'after journal.move running',
        newJob: 1,
        afterwards: (chaos, job) => chaos.watch.until(() => chaos.watch.ends(job) > 0),
      },
      ...lives([
        ...along('files.output', 'runtime.wait', 'journal.move finished'),
        // From here on, what it had is nobody's.
        ...along('runtime.remove', 'files.remove'),
      ]),
    ],
  },
  {
    name: 'a report that nobody wants any more',
    end: undefined,
    lives: [
      { crash: 'before broker.report', newJob: 0, afterwards: (chaos, job) => chaos.deleteRunOf(job) },
      ...lives(along('broker.job', 'journal.move dropped')),
    ],
  },
  {
    name: 'a drain',
    end: GOOD_END,
    daemon: true,
    lives: lives(
      [
        ...along('broker.stopInstance'),
        ...along('journal.move finished', 'broker.report', 'journal.move reported').map(
          (step) => `after broker.stopInstance, ${step}`,
        ),
      ],
      { newJob: 2, meanwhile: signalled('SIGUSR1') },
    ),
  },
  {
    name: 'a drain that is cut short',
    end: GOOD_END,
    again: true,
    daemon: true,
    lives: lives(
      along('runtime.stop', 'runtime.remove', 'journal.move releasing', 'broker.release').map(
        (step) => `after runtime.start, ${step}`,
      ),
      { newJob: 4, meanwhile: givenBack },
    ),
  },
  {
    name: 'a stop',
    end: GOOD_END,
    daemon: true,
    lives: lives(along('broker.stopInstance'), { newJob: 2, meanwhile: signalled('SIGTERM') }),
  },
];
