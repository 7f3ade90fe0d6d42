/** Words or phrases that this project does not use, because the field has another word for the same thing. */
export type Banned = {
  /**
   * A word in lower case is found as a word and as a part of an identifier: `told` in `toldOnce`, `isTold`, `TOLD`.
   * Of a phrase, the words may be joined by white space, a line break, `-`, `_` or a capital: `kept out` in
   * `gpu-kept-out`, `KEPT_OUT`, `keptOut`. A pattern is for what is only wrong in some places.
   */
  readonly words: readonly (string | RegExp)[];
  readonly write: string;
  /** Code only: as English words these are ordinary. */
  readonly only?: 'code';
  readonly why: string;
};

const PRIVATE = 'a private word, unknown from other software';
const POETRY = 'poetry: say what happens';

export const BANNED: readonly Banned[] = [
  // Hints, logs and text.
  { words: ['mend', 'mends', 'mended', 'mending'], write: 'hint, fix', why: PRIVATE },
  { words: ['what to do:'], write: 'hint:', why: 'one label for one thing' },
  {
    words: ['told', /\b(?:is|isActive|was) tell\b/],
    write: 'reported, logged, asked',
    why: 'agents report and log',
  },
  {
    words: [/\btell(?:s|ing)?[A-Z]\w*|\btell\(/],
    only: 'code',
    write: 'report, log, notify, render',
    why: PRIVATE,
  },
  {
    words: ['narrate', 'narrates', 'narrator', 'narration'],
    write: 'event log',
    why: 'events are logged',
  },
  {
    words: ['complaint', 'complaints', 'complain', 'complains', 'complained'],
    write: 'error, warning, invalid item',
    why: PRIVATE,
  },
  { words: ['story', 'stories'], write: 'lifecycle', why: PRIVATE },
  {
    words: [
      'feels',
      'with every breath',
      'let breathe',
      'of no use to anybody',
      'speaks against',
      'speak against',
    ],
    write: 'probes; a plain verb',
    why: POETRY,
  },
  {
    words: ['whoever', 'whomever', 'whose end', 'whose doing', 'misdoing', 'doing of the job'],
    write: 'a noun (the caller, anyone with access); attribution',
    why: 'the subject of a sentence is a noun of the code',
  },
  {
    words: [
      'carried on',
      'carry on',
      'carries on',
      'goes on with',
      'go on with',
      'seen to',
      'see to it',
      'what was left from before',
    ],
    write: 'continues, reattaches, aborted, completed, ensures',
    why: 'name what is done',
  },
  { words: ['receipt', 'receipts'], write: 'acceptance', why: 'brokers accept reports' },
  { words: ['afresh', 'anew'], write: 'again, restart', why: PRIVATE },
  { words: ['stead'], write: 'overrides; instead of', why: PRIVATE },
  // GPUs.
  {
    words: [
      'kept out',
      'keep out',
      'keeps out',
      'keeping out',
      'gpu back',
      'gpus unseen',
      'gpus seen',
      'xids unseen',
    ],
    write:
      'cordon, gpu-cordoned, gpu-uncordoned, gpu-probe-failed, gpu-probe-recovered, kernel-log-unavailable',
    why: 'Kubernetes cordons nodes',
  },
  { words: ['trial', 'trials'], write: 'canary', why: PRIVATE },
  {
    words: ['accuse', 'accuses', 'accused', 'acquit', 'acquits', 'acquitted'],
    write: 'record a fault, clear a fault',
    why: PRIVATE,
  },
  { words: ['guest', 'guests', 'occupancy'], write: 'tenant', why: PRIVATE },
  { words: ['smell', 'smells', 'smelled'], write: 'anomaly', why: PRIVATE },
  {
    words: [/\b(?:MigF|f)amil(?:y|ies)\b(?!\s*[:=]\s*[46'])(?=.*(?:MIG|parent|Parent))|Family\b/],
    only: 'code',
    write: 'MIG parents',
    why: PRIVATE,
  },
  {
    words: [
      'memory watch',
      'disk watch',
      'oom watch',
      'xid watch',
      'token watch',
      'risk watch',
      'market watch',
    ],
    write:
      'memory leak check, disk quota, OOM detector, Xid monitor, token refresher, vulnerability gate, run poller',
    why: 'say what it does',
  },
  {
    words: ['gpu way', 'why unfit', 'unfit', 'fitness'],
    write: 'GpuInjection, unmet requirement',
    why: PRIVATE,
  },
  // Offers, runs and jobs.
  {
    words: ['give back', 'gives back', 'giving back', 'gave back', 'given back'],
    write: 'evict, release',
    why: 'Kubernetes evicts, brokers release',
  },
  {
    words: [
      'put up',
      'puts up',
      'putting up',
      'take down',
      'takes down',
      'taken down',
      /\boffer-(?:up|down|repriced)\b/,
    ],
    write: 'register, deregister, offer-price-updated',
    why: 'offers are registered',
  },
  { words: [/\brun-won'|\bclaim-lost\b/], write: 'job-claimed, claim-rejected', why: 'jobs are claimed' },
  {
    words: [
      'aside',
      'nothing open',
      'ill formed',
      /\b(?:not-looked-up|image-not-here|wrong-kind|runtime-unknown)\b/,
    ],
    write:
      'in-backoff, no-open-jobs, invalid, unresolved, image-not-pulled, wrong-offer-type, unsupported-runtime',
    why: 'the skip reasons have one name each',
  },
  {
    words: ['own function', 'function of our own', 'functions of our own'],
    write: 'internal job',
    why: PRIVATE,
  },
  { words: ['withstand', 'withstands'], write: 'unkillable', why: PRIVATE },
  {
    words: [
      'run lookup',
      'image keeper',
      'keeper',
      'keepers',
      'market stand',
      /\bRunJob\b/,
      'job closing',
      'end of job',
      /\bendedBy\b/,
    ],
    write: 'RunResolver, ImagePuller, OfferWorker, JobRunner, JobFinalizer, JobTermination, exitOrigin',
    why: PRIVATE,
  },
  { words: [/\b[Jj]udg/, /[a-z]Judg/], write: 'check, evaluate, attribute', why: PRIVATE },
  { words: [/\bmayBecome\b/], write: 'canTransition', why: 'state machines have transitions' },
  {
    words: ['flood gate', 'look budget', 'speaker', 'speakers'],
    write: 'token bucket, rate limit, source',
    why: PRIVATE,
  },
  {
    words: [
      'sweep',
      'sweeps',
      'swept',
      'sweeping',
      'leftover',
      'leftovers',
      "nobody's",
      'nobody’s',
      'nobodys',
    ],
    write: 'garbage collection, orphan',
    why: PRIVATE,
  },
  { words: ['owe', 'owes', 'owed'], write: 'pending', why: 'reports are pending' },
  // Admission, network and health.
  {
    words: ['no jobs are claimed', 'hold question', 'host care'],
    write: 'claiming paused, blockedBy, AdmissionControl',
    why: 'admission is controlled',
  },
  { words: ['footing', 'footings', 'calm', 'calmed'], write: 'health check, cooldown', why: PRIVATE },
  {
    words: [/\b(?:no|in)?(?:fear|noted)(?:ed)?\b(?=\()|\bfeared\b/],
    only: 'code',
    write: 'recordFailure, recordOutcome',
    why: PRIVATE,
  },
  {
    words: [
      'proof',
      'proofs',
      'prove',
      'proves',
      'proved',
      'proven',
      'proving',
      'beacon',
      'beacons',
      'challenge',
      'challenges',
    ],
    write: 'verify, verification, probe targets, show',
    why: 'networks are verified, health is checked',
  },
  {
    words: ['known hole', 'known holes', 'surroundings'],
    write: 'known vulnerability, host versions',
    why: 'a CVE is a vulnerability',
  },
  {
    words: [
      'out of sight',
      'lose sight',
      'loses sight',
      'lost sight',
      'in sight',
      'is away',
      'was away',
      'been away',
      'are away',
      'were away',
    ],
    write: 'polling failed, unreachable',
    why: 'brokers and engines are unreachable',
  },
  { words: ['the broker answers again'], write: 'broker reachable again', why: 'one message for it' },
  // Polling, retry and background tasks.
  {
    words: [
      /\b(?:an?|the|each|every|next|last|first|second|third|one|another|new|no|this|its|of) look\b(?!-?up)/,
      /\b(?:the|its|two|three|between|after|all|many|unchanged) looks\b(?!-?up)/,
      /\b(?:const|let|readonly) looks?\b|#looks?\b/,
      /\blook(?!Up|Ahead|Behind)[A-Z]\w*|[a-z]Looks?\b(?!Up)/,
    ],
    write: 'poll, snapshot, look-up, inspection; pollNow, restartPoll, invalidate',
    why: 'look is a verb',
  },
  {
    words: [
      'patience',
      'patient',
      'patiently',
      'hopeful',
      'hopeless',
      /\b(?:isPassing|writeDown|toTheEnd|nothingLeft)\b/,
      'passes by itself',
      'pass by themselves',
    ],
    write: 'retry policy, time limit, retryable, exhausted, transient, writeDurably, untilExhausted',
    why: PRIVATE,
  },
  {
    words: [/\bfirstMs\b/, /\b(?:least|most)[A-Z]\w*/],
    only: 'code',
    write: 'initialMs, maxMs, min, max',
    why: 'numbers have a min and a max',
  },
  {
    words: [/\b(?:class|new) Wake\b|\.ring\(|\bconst ring\b|[wW]akeUp/],
    write: 'Notifier.notify, suspend detection',
    why: PRIVATE,
  },
  // What systemd and the operating system see.
  {
    words: ['vitals', 'sign of life', 'signs of life', 'service manager', 'service managers'],
    write: 'health, systemd',
    why: 'it is systemd',
  },
  { words: ['survey', 'surveys', 'surveyed'], write: 'evaluate', why: PRIVATE },
  // Tests.
  { words: ['house', 'houses'], write: 'TestEnv, fixture', why: PRIVATE },
  {
    words: ['weather', 'fate', 'fates', 'misdeed', 'misdeeds', 'labour'],
    write: 'network condition, fault plan, fault, workload',
    why: PRIVATE,
  },
  {
    words: [/\b(?:setStage|Stage)\b/, /\bconst rig\b|[a-z]Rig\b|\brig\./],
    only: 'code',
    write: 'scenario, fixture',
    why: PRIVATE,
  },
];

/** Where a banned word is right all the same; at most 20. `file` is a path or its beginning. */
export const EXCEPTIONS: readonly { readonly file: string; readonly word: string; readonly why: string }[] = [
  { file: 'scripts/words/', word: '*', why: 'the list itself' },
  { file: 'test/unit/project/words.test.ts', word: '*', why: 'plants banned words' },
  {
    file: 'bench/measure/scene.ts',
    word: 'offer-up',
    why: 'the event of older builds, which it compares with',
  },
];
