import type { Mutation } from '../../scripts/mutations/mutation.ts';

const BINDING = 'src/agent/admission/engine-binding.ts';
const BINDING_TEST = 'test/unit/agent/admission/engine-binding.test.ts';
const HOME = 'src/journal/home.ts';
const HOME_TEST = 'test/unit/journal/home.test.ts';
const FOREIGN = 'src/lib/foreign-access.ts';
const FOREIGN_TEST = 'test/unit/lib/foreign-access.test.ts';
const STATE_DIR = 'src/state-dir/state-dir.ts';
const STATE_DIR_TEST = 'test/unit/state-dir/state-dir.test.ts';

/** What keeps jobs from a second start after a move, and files out of other users' hands. */
export const MOVES: readonly Mutation[] = [
  {
    protection: 'started jobs stay with their engine',
    file: BINDING,
    text: 'missing.length > 0 && !this.#isReplaced(before, now, missing)',
    becomes: 'missing.length > 1_000 && !this.#isReplaced(before, now, missing)',
    test: { file: BINDING_TEST, name: 'and without the containers of started jobs, is ENGINE_CHANGED' },
  },
  {
    protection: 'an engine counts as replaced only where nothing of its jobs runs',
    file: BINDING,
    text: 'mayReplace(before, now) && this.#deps.noneRuns(containers)',
    becomes: 'mayReplace(before, now) || this.#deps.noneRuns(containers)',
    test: { file: BINDING_TEST, name: 'and without the containers of started jobs, is ENGINE_CHANGED' },
  },
  {
    protection: 'a copied journal starts no job again',
    file: HOME,
    text: 'if (jobs > 0) throw stateDirCopied(file, copied, jobs);',
    becomes: 'if (jobs > 1_000) throw stateDirCopied(file, copied, jobs);',
    test: {
      file: HOME_TEST,
      name: 'on another machine it is a copy wherever it lies, and the owner can say that it is not',
    },
  },
  {
    protection: 'a copy with a pending report asks for nothing of the original',
    file: HOME,
    text: '.get(...OPEN_STATES)',
    becomes: '.get(...OPEN_STATES.slice(0, 5))',
    test: {
      file: HOME_TEST,
      name: 'a copy with a job that the original may have (%j) is STATE_DIR_COPIED, also the second time',
    },
  },
  {
    protection: 'a copy without jobs has instances of its own',
    file: HOME,
    text: "db.exec('DELETE FROM instances');",
    becomes: '',
    test: { file: HOME_TEST, name: 'a copy without such jobs becomes another agent' },
  },
  {
    protection: 'nobody else can replace what is in a directory',
    file: FOREIGN,
    text: 'if (foreign !== undefined) return foreign;',
    becomes: '',
    test: { file: FOREIGN_TEST, name: 'is checked: %j' },
  },
  {
    protection: 'nobody else leads a path elsewhere',
    file: FOREIGN,
    text: 'if (!isTrustedOwner(found.uid, uid)) return foreignLink(at, asked, found.uid, uid);',
    becomes: '',
    test: { file: FOREIGN_TEST, name: 'is that of each link, too' },
  },
  {
    protection: 'nothing planted in the state directory is used',
    file: STATE_DIR,
    text: 'refusePlanted(path, uid);',
    becomes: '',
    test: { file: STATE_DIR_TEST, name: 'a %s of another user in it is refused' },
  },
];
