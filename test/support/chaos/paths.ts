import { JOB_STATUS } from '../../../src/domain/job.ts';
import { faults } from '../faults/http-proxy.ts';
import { cancelled, evicted, removedByOthers, signalled } from './effects.ts';
import { along, around, type JobEnd, lives, once, type Path } from './path.ts';

const REFUSAL = '{"detail": "No."}';

/** The broker is asked three times as often what it thinks we hold, in seconds. */
const SHORT_LEASE = 6;

const GOOD_END: JobEnd = { status: JOB_STATUS.SUCCEEDED, result: 'done', stdout: 'awake\n' };

/** Takes longer than anybody waits. */
const LONG_JOB = 60;

/** Every step of a job that goes well, in its order. */
const WELL = around(
  'journal.insert',
  'broker.claim',
  'journal.transition claimed',
  'files.layOut',
  'runtime.create',
  'journal.transition starting',
  'runtime.start',
  'journal.transition running',
  'files.output',
  'runtime.wait',
  'journal.transition finished',
  'runtime.remove',
  'files.remove',
  'broker.report',
  'journal.transition reported',
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
      ...lives(along('journal.transition dropped'), { claims: faults.answer(409, REFUSAL) }),
      ...lives(along('journal.transition dropped'), { claims: faults.answer(403, REFUSAL) }),
    ],
  },
  {
    name: 'a claim that took effect and was answered with nonsense',
    end: GOOD_END,
    lives: lives(along('journal.transition releasing', 'broker.release', 'journal.transition released'), {
      claims: faults.answerAfter(400, REFUSAL),
    }),
  },
  {
    name: 'a release, since this host cannot start the container',
    end: GOOD_END,
    lives: lives(
      once(
        'after journal.insert',
        along(
          'runtime.list',
          'runtime.remove',
          'files.remove',
          'journal.transition releasing',
          'broker.release',
          'journal.transition released',
        ),
      ),
      { fail: 'runtime.start' },
    ),
  },
  {
    name: 'a release, since somebody removed the container',
    end: GOOD_END,
    again: true,
    lives: lives(
      once(
        'after runtime.start',
        along('runtime.remove', 'files.remove', 'journal.transition releasing', 'broker.release'),
      ),
      { newJob: 4, meanwhile: removedByOthers },
    ),
  },
  {
    name: 'a job that runs out of its time',
    jobTimeout: '2s',
    end: { status: JOB_STATUS.TIMEOUT, result: '', stdout: '' },
    lives: lives(
      once('after runtime.start', along('runtime.stop', 'journal.transition finished', 'runtime.remove')),
      { newJob: LONG_JOB },
    ),
  },
  {
    name: 'a job that the broker takes back',
    leaseSeconds: SHORT_LEASE,
    end: undefined,
    lives: [
      ...lives(['before broker.job', ...along('journal.transition cancelling')], {
        newJob: LONG_JOB,
        meanwhile: cancelled,
      }),
      ...lives(
        once(
          'after journal.transition cancelling',
          along('runtime.stop', 'runtime.remove', 'files.remove', 'journal.transition dropped'),
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
      { crash: 'after journal.transition cancelling', newJob: LONG_JOB, meanwhile: cancelled },
      ...lives(along('runtime.list', 'runtime.remove', 'journal.transition dropped', 'files.remove')),
    ],
  },
  {
    name: 'recovery of a claim that was not answered',
    end: GOOD_END,
    lives: [
      { crash: 'after broker.claim', newJob: 0 },
      ...lives(along('journal.transition releasing', 'broker.release', 'journal.transition released')),
    ],
  },
  {
    name: 'recovery of a job whose container was not to start yet',
    end: GOOD_END,
    lives: [
      { crash: 'after runtime.create', newJob: 0 },
      ...lives(along('journal.transition releasing', 'runtime.list', 'runtime.remove', 'files.remove')),
    ],
  },
  {
    name: 'recovery of a job that was about to start',
    end: GOOD_END,
    lives: [
      { crash: 'after journal.transition starting', newJob: 0 },
      ...lives(
        along(
          'runtime.start',
          'journal.transition running',
          'runtime.wait',
          'journal.transition finished',
          'broker.report',
          'journal.transition reported',
        ),
      ),
    ],
  },
  {
    name: 'recovery of a job that ended while no agent was there',
    end: GOOD_END,
    lives: [
      {
        crash: 'after journal.transition running',
        newJob: 1,
        afterwards: (chaos, job) => chaos.watch.until(() => chaos.watch.ends(job) > 0),
      },
      ...lives([
        ...along('files.output', 'runtime.wait', 'journal.transition finished'),
        // From here on, what it had is orphaned.
        ...along('runtime.remove', 'files.remove'),
      ]),
    ],
  },
  {
    name: 'a report that nobody wants any more',
    end: undefined,
    lives: [
      { crash: 'before broker.report', newJob: 0, afterwards: (chaos, job) => chaos.deleteRunOf(job) },
      ...lives(along('broker.job', 'journal.transition dropped')),
    ],
  },
  {
    name: 'a drain',
    end: GOOD_END,
    daemon: true,
    lives: lives(
      [
        ...along('broker.stopInstance'),
        ...once(
          'after broker.stopInstance',
          along('journal.transition finished', 'broker.report', 'journal.transition reported'),
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
      once(
        'after runtime.start',
        along('runtime.stop', 'runtime.remove', 'journal.transition releasing', 'broker.release'),
      ),
      { newJob: 4, meanwhile: evicted },
    ),
  },
  {
    name: 'a stop',
    end: GOOD_END,
    daemon: true,
    lives: lives(along('broker.stopInstance'), { newJob: 2, meanwhile: signalled('SIGTERM') }),
  },
];
