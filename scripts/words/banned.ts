/** A word or phrase that this project does not use, because another one is the field's word for the same thing. */
export type Banned = {
  /**
   * Lower case. A single word is found as a word of a sentence and as a part of an identifier (`told` in `toldOnce`
   * and `isTold`); a phrase is found as it is written, whatever white space is in it.
   */
  readonly words: readonly string[];
  /** What to write, or in which way to say it. */
  readonly write: string;
  /** Where the rule ends: what is found is fine where one of these matches the line. */
  readonly unless?: RegExp;
  /** Code only: as English words these are ordinary. */
  readonly only?: 'code';
  readonly why: string;
};

const PRIVATE = 'a private word: nobody knows it from other software';

/** The list, by subject. docs/decisions and the glossary of the code use the right-hand words. */
export const BANNED: readonly Banned[] = [
  { words: ['mend', 'mends', 'mended', 'mending'], write: 'hint, fix', why: PRIVATE },
  { words: ['what to do:'], write: 'hint:', why: 'one label for one thing' },
  { words: ['kept out', 'keep out', 'keeps out', 'keeping out'], write: 'cordon', why: PRIVATE },
  { words: ['aside', 'set aside'], write: 'backoff, in backoff', why: PRIVATE },
  {
    words: ['give back', 'gives back', 'giving back', 'gave back', 'given back'],
    write: 'evict, release',
    why: 'Kubernetes says evict',
  },
  { words: ['footing', 'footings'], write: 'health check', why: PRIVATE },
  { words: ['story', 'stories'], write: 'lifecycle', why: PRIVATE },
  { words: ['told'], write: 'reported, logged, asked', why: 'logs report, brokers answer: nobody is told' },
  { words: ['keeper', 'keepers'], write: 'puller, store', why: PRIVATE },
  { words: ['patience', 'patient', 'patiently'], write: 'retry policy, time limit', why: PRIVATE },
  { words: ['trial', 'trials'], write: 'canary', why: PRIVATE },
  {
    words: ['accuse', 'accused', 'acquit', 'acquitted'],
    write: 'record a fault, clear a fault',
    why: PRIVATE,
  },
  { words: ['guest', 'guests'], write: 'tenant', why: PRIVATE },
  { words: ['stead'], write: 'overrides; instead of', why: PRIVATE },
  {
    words: ['family', 'families'],
    write: 'MIG parents',
    only: 'code',
    unless: /family: [46]|socket|net\b|IPv|addresses/i,
    why: PRIVATE,
  },
  { words: ['weather'], write: 'network condition, transient', why: PRIVATE },
  { words: ['fate', 'misdeed', 'misdeeds', 'labour'], write: 'fault plan, fault, workload', why: PRIVATE },
  { words: ['unfit', 'fitness'], write: 'requirement, unmet requirement', why: PRIVATE },
  { words: ['narrate', 'narrates', 'narrator', 'narration'], write: 'event log', why: PRIVATE },
  { words: ['afresh', 'anew'], write: 'again, restart', why: PRIVATE },
  {
    words: ['whoever', 'whomever', 'whose end'],
    write: 'a noun: anyone with ..., the caller; attribution',
    why: 'the subject of a sentence is a noun',
  },
  { words: ["nobody's", 'nobody’s', 'nobodys'], write: 'orphaned', why: PRIVATE },
  { words: ['withstand', 'withstands'], write: 'unkillable, survives', why: PRIVATE },
  { words: ['smelled', 'smell', 'smells'], write: 'anomaly', why: PRIVATE },
  { words: ['vitals', 'sign of life', 'signs of life'], write: 'health, systemd status', why: PRIVATE },
  { words: ['survey', 'surveyed'], write: 'evaluate', why: PRIVATE },
  {
    words: ['known hole', 'known holes', 'surroundings'],
    write: 'known vulnerability, host versions',
    why: 'CVEs are vulnerabilities',
  },
  { words: ['beacon', 'beacons'], write: 'probe target', why: PRIVATE },
  { words: ['challenge', 'challenges'], write: 'probe targets', why: PRIVATE },
  {
    words: ['proof', 'proofs', 'proved', 'proven', 'prove', 'proves', 'proving'],
    write: 'verification, verify, check, show',
    why: 'networks are verified, health is checked',
  },
  { words: ['hopeful', 'hopeless'], write: 'retryable, exhausted', why: PRIVATE },
  { words: ['owed', 'owes', 'owe'], write: 'pending', why: 'reports are pending' },
  { words: ['feels for', 'feel for'], write: 'probes', why: 'a circuit breaker probes half-open' },
  {
    words: ['out of sight', 'lose sight', 'loses sight', 'in sight'],
    write: 'polling failed, unreachable',
    why: PRIVATE,
  },
  {
    words: ['is away', 'was away', 'been away', 'are away'],
    write: 'is unreachable',
    why: 'engines and brokers are unreachable',
  },
  {
    words: ['putup', 'put up', 'puts up', 'take down', 'takes down', 'taken down'],
    write: 'register, deregister',
    why: 'offers are registered',
  },
  { words: ['ill-formed', 'ill formed', 'illformed'], write: 'invalid', why: 'one word for bad input' },
  {
    words: ['own function', 'function of our own', 'functions of our own'],
    write: 'internal job',
    why: PRIVATE,
  },
  {
    words: ['carried on', 'carry on', 'carries on'],
    write: 'continued, aborted',
    why: 'see the log messages',
  },
  { words: ['seen to', 'see to it'], write: 'completed, ensures', why: 'say what is done' },
  { words: ['what was left from before'], write: 'recovery', why: 'one word for it' },
  { words: ['goes on with', 'go on with'], write: 'reattaches, continues', why: 'jobs are reattached' },
  {
    words: [
      'a look',
      'the look',
      'each look',
      'every look',
      'next look',
      'last look',
      'first look',
      'one look',
      'another look',
      'new look',
      'looks so far',
      'lookafresh',
      'lookagain',
      'looknow',
    ],
    write: 'poll, snapshot, inspection',
    why: 'look is a verb',
  },
  {
    words: ['of no use to anybody', 'with every breath', 'let breathe'],
    write: 'say it plainly',
    why: 'poetry',
  },
  { words: ['misdoing', 'doing of the job', 'whose doing'], write: 'caused by', why: PRIVATE },
];

/** Where a banned word is right all the same; at most 20. `file` is a path or its beginning. */
export const EXCEPTIONS: readonly { readonly file: string; readonly word: string; readonly why: string }[] = [
  { file: 'scripts/words/', word: '', why: 'the list itself' },
];
