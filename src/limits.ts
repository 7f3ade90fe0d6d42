/*
 * The bounds of what the agent takes from others. Code imports them from here, and `docs/limits.md` is generated from
 * here, so each is written once.
 */

/** A bound of something that comes from outside. */
export type Limit = {
  readonly max: number;
  readonly unit: 'bytes' | 'characters' | 'items' | 'levels' | 'ms' | 'dollars';
  /** What is bounded. */
  readonly of: string;
  /** What happens to what is larger. */
  readonly beyond: string;
};

type Limits = Readonly<Record<string, Limit>>;

/** By who sends it; `journal` and `log`: in any row or line. */
export const LIMITS = {
  broker: {
    errorText: { max: 500, unit: 'characters', of: 'the broker’s text in an error message', beyond: 'cut' },
    refusal: {
      max: 64 * 1024,
      unit: 'bytes',
      of: 'an answer that is not a success, or not JSON',
      beyond: 'the rest is not read',
    },
    resource: {
      max: 256 * 1024 * 1024,
      unit: 'bytes',
      of: 'an answer with one resource; fields that the agent does not need are not kept',
      beyond: 'the answer is refused',
    },
    atOnce: {
      max: 256 * 1024,
      unit: 'bytes',
      of: 'what is held of each of several answers that are read at once',
      beyond: 'one such answer is read after the other; to claims all at once',
    },
    list: {
      max: 1024 * 1024 * 1024,
      unit: 'bytes',
      of: 'a list with all its pages; fields that the agent does not need are not kept',
      beyond: 'runs and GPUs: the rest is left out; else: the list is refused',
    },
    listItems: {
      max: 2_000_000,
      unit: 'items',
      of: 'a list with all its pages, whether the items are wanted or not',
      beyond: 'as above',
    },
    listTime: { max: 60_000, unit: 'ms', of: 'reading the pages of a list', beyond: 'as above' },
    pages: { max: 1_000, unit: 'items', of: 'pages of a list', beyond: 'as above' },
    pageAddress: {
      max: 8 * 1024,
      unit: 'bytes',
      of: 'the address of a list’s next page',
      beyond: 'the list is refused',
    },
    invalidItems: {
      max: 100,
      unit: 'items',
      of: 'invalid items of a list that are remembered and logged',
      beyond: 'counted',
    },
    id: { max: 64, unit: 'characters', of: 'the id of anything', beyond: 'the item is invalid' },
    name: {
      max: 200,
      unit: 'characters',
      of: 'the name of a function, GPU, instance or runtime',
      beyond: 'cut',
    },
    registryPath: {
      max: 500,
      unit: 'characters',
      of: 'the name of an image in its registry',
      beyond: 'the function or image is invalid',
    },
    runs: {
      max: 100_000,
      unit: 'items',
      of: 'runs of the market that are kept',
      beyond: 'those with the lowest bids are left out',
    },
    runBytes: {
      max: 32 * 1024 * 1024,
      unit: 'bytes',
      of: 'runs of the market that are kept',
      beyond: 'those with the lowest bids are left out',
    },
    gpus: { max: 10_000, unit: 'items', of: 'GPUs of the broker’s catalogue', beyond: 'left out' },
    instances: { max: 10_000, unit: 'items', of: 'instances of the account', beyond: 'the list is refused' },
    heldJobs: {
      max: 10_000,
      unit: 'items',
      of: 'jobs that the broker lists as held by an instance',
      beyond: 'the list is refused',
    },
    arguments: {
      max: 4 * 1024 * 1024,
      unit: 'bytes',
      of: 'a job’s arguments',
      beyond: 'the job fails',
    },
    argumentsInJson: {
      max: 8 * 1024 * 1024,
      unit: 'bytes',
      of: 'the same in JSON, with its escapes',
      beyond: 'the job is not claimed; it fails if its arguments are known only after the claim',
    },
    listedArguments: {
      max: 16 * 1024,
      unit: 'bytes',
      of: 'a job’s arguments that are checked before the claim',
      beyond: 'they are checked when the job runs, in a thread of their own for Node.js',
    },
    cost: {
      max: 1_000_000,
      unit: 'dollars',
      of: 'what the broker says that a job has cost',
      beyond: 'the ask price and the duration count',
    },
    argumentsTime: {
      max: 10_000,
      unit: 'ms',
      of: 'converting long arguments of a Node.js job',
      beyond: 'the job fails',
    },
    argumentsMemory: {
      max: 96 * 1024 * 1024,
      unit: 'bytes',
      of: 'memory for converting long arguments of Node.js jobs',
      beyond: 'the job fails',
    },
    code: {
      max: 5 * 1024 * 1024,
      unit: 'bytes',
      of: 'the code of a function',
      beyond: 'its runs are invalid',
    },
    codeInMemory: {
      max: 16 * 1024 * 1024,
      unit: 'bytes',
      of: 'the code of functions that is remembered for claims',
      beyond: 'what was used longest ago is fetched again before the claim',
    },
    claimInput: {
      max: 16 * 1024 * 1024,
      unit: 'bytes',
      of: 'code and arguments of claims under way and of jobs whose files are being written',
      beyond: 'further claims wait; a single one may be larger',
    },
    openJobs: {
      max: 100,
      unit: 'items',
      of: 'open jobs of a run that are read and remembered for claims',
      beyond: 'listed again once those are claimed',
    },
    skipLines: {
      max: 100,
      unit: 'items',
      of: 'skipped runs with a log line each, at once and per offer; then one a second',
      beyond: 'counted by reason, once a minute',
    },
    literalDepth: {
      max: 200,
      unit: 'levels',
      of: 'open brackets in a job’s arguments, as in CPython',
      beyond: 'the arguments are unreadable',
    },
    killedRuns: {
      max: 10_000,
      unit: 'items',
      of: 'runs of which killed jobs are counted',
      beyond: 'all are forgotten',
    },
    jobLookUps: {
      max: 10_000,
      unit: 'items',
      of: 'jobs that the broker is asked about one by one',
      beyond: 'asked about later',
    },
    images: {
      max: 1_000,
      unit: 'items',
      of: 'images of the broker that are remembered',
      beyond: 'all are forgotten',
    },
  },
  job: {
    output: {
      max: 1024 * 1024,
      unit: 'bytes',
      of: 'stdout of a job, and its stderr',
      beyond: 'the middle is left out of the report',
    },
    liveOutput: {
      max: 64 * 1024,
      unit: 'characters',
      of: 'the output of a running job that the agent remembers for `jobs logs`',
      beyond: 'the oldest is forgotten',
    },
    result: { max: 10 * 1024 * 1024, unit: 'bytes', of: 'the result of a job', beyond: 'the job fails' },
    record: {
      max: 4096,
      unit: 'bytes',
      of: 'a line by which the loader tells the agent how a job went',
      beyond: 'it is output of the job',
    },
    frame: {
      max: 16 * 1024 * 1024,
      unit: 'bytes',
      of: 'a piece of a job’s output',
      beyond: 'the output cannot be read',
    },
    trafficLog: {
      max: 1024 ** 3,
      unit: 'bytes',
      of: 'the log of connections of jobs, of all days',
      beyond: 'the oldest are deleted',
    },
    waitingConnections: {
      max: 100_000,
      unit: 'items',
      of: 'connections of jobs that wait for a disk that refuses them',
      beyond: 'the oldest are left out',
    },
  },
  image: {
    description: {
      max: 1024 * 1024,
      unit: 'bytes',
      of: 'the engine’s description of an image, and its history',
      beyond: 'the image is refused',
    },
    settings: {
      max: 1_000,
      unit: 'items',
      of: 'environment variables of an image, labels, and ports',
      beyond: 'the image is refused',
    },
    names: {
      max: 16 * 1024,
      unit: 'bytes',
      of: 'the names of an image’s environment variables together, and of its labels',
      beyond: 'the image is refused',
    },
    volumes: { max: 32, unit: 'items', of: 'volumes of an image', beyond: 'the image is refused' },
    remembered: {
      max: 1_000,
      unit: 'items',
      of: 'images that are remembered as startable or not',
      beyond: 'all are forgotten',
    },
    layers: {
      max: 500,
      unit: 'items',
      of: 'layers of an image (OVL_MAX_STACK of Linux)',
      beyond: 'the image is refused',
    },
    volumePath: {
      max: 1024,
      unit: 'characters',
      of: 'the path of an image’s volume, which with the container’s own has to fit into PATH_MAX',
      beyond: 'the image is refused',
    },
  },
  engine: {
    answer: {
      max: 8 * 1024 * 1024,
      unit: 'bytes',
      of: 'an answer of Docker, such as the list of the agent’s containers',
      beyond: 'the call counts as failed',
    },
    error: {
      max: 2_000,
      unit: 'characters',
      of: 'Docker’s text in an error',
      beyond: 'its middle is left out',
    },
    pullError: {
      max: 500,
      unit: 'characters',
      of: 'the text of Docker or a registry in the error of a pull',
      beyond: 'cut',
    },
    pullErrorRead: {
      max: 10_000,
      unit: 'characters',
      of: 'that text, where its cause is looked for',
      beyond: 'not looked at',
    },
    gpuError: {
      max: 600,
      unit: 'characters',
      of: 'Docker’s text about a GPU that it cannot give to a container',
      beyond: 'cut',
    },
    jsonLine: {
      max: 1024 * 1024,
      unit: 'characters',
      of: 'a line of a stream of Docker, such as the progress of a pull',
      beyond: 'the stream counts as failed',
    },
  },
  host: {
    controlGroups: {
      max: 10_000,
      unit: 'items',
      of: 'the control groups that are searched for containers of an engine that was replaced',
      beyond: 'the containers count as running',
    },
    programOutput: {
      max: 8 * 1024 * 1024,
      unit: 'bytes',
      of: 'the output of a program that the agent runs, such as nvidia-smi',
      beyond: 'the program is stopped and counts as failed',
    },
    programLine: {
      max: 64 * 1024,
      unit: 'characters',
      of: 'a line of a program that the agent follows, such as journalctl',
      beyond: 'left out',
    },
    configFile: {
      max: 1024 * 1024,
      unit: 'bytes',
      of: 'the configuration file',
      beyond: 'the configuration is refused',
    },
    dockerFile: {
      max: 1024 * 1024,
      unit: 'bytes',
      of: 'a file of Docker’s client: context, certificate or key',
      beyond: 'it is refused',
    },
    controlRequest: {
      max: 64 * 1024,
      unit: 'bytes',
      of: 'a request at the control socket',
      beyond: 'it is refused (`CONTROL_INVALID`)',
    },
    controlConnections: {
      max: 64,
      unit: 'items',
      of: 'connections to one of the control sockets at once',
      beyond: 'more are closed at once',
    },
    listedJobs: {
      max: 500,
      unit: 'items',
      of: 'jobs that one answer of the control API lists',
      beyond: 'the request is refused (`CONTROL_INVALID`); the answer names where the list goes on',
    },
    controlAnswer: {
      max: 16 * 1024 * 1024,
      unit: 'bytes',
      of: 'an answer of the running agent to a command, and a line of a stream',
      beyond: 'the agent counts as one that does not answer',
    },
    tokenFile: { max: 4096, unit: 'bytes', of: 'the token file', beyond: 'the configuration is refused' },
    dockerConfig: {
      max: 1024 * 1024,
      unit: 'bytes',
      of: 'the file config.json of the docker command',
      beyond: 'the file is refused',
    },
    credentialHelper: {
      max: 256 * 1024,
      unit: 'bytes',
      of: 'the answer of a credential helper',
      beyond: 'it counts as failed',
    },
    registries: { max: 1_000, unit: 'items', of: 'registries in that file', beyond: 'left out' },
    registrySecret: {
      max: 64 * 1024,
      unit: 'characters',
      of: 'a password or token for a registry',
      beyond: 'the entry is unusable',
    },
    gvisorDrivers: { max: 1000, unit: 'items', of: 'driver versions that runsc lists', beyond: 'left out' },
    smiLine: {
      max: 300,
      unit: 'characters',
      of: 'a line of nvidia-smi that is no row of its table',
      beyond: 'cut',
    },
    smiSamples: {
      max: 256 * 1024,
      unit: 'bytes',
      of: 'the output at once of the nvidia-smi that samples, and a quarter of it a second',
      beyond: 'it is stopped, and started again later',
    },
    sessions: { max: 100, unit: 'items', of: 'sessions of users on this host', beyond: 'left out' },
    desks: {
      max: 100,
      unit: 'items',
      of: 'users whose `desk` reports games',
      beyond: 'further ones are not heard',
    },
    smiName: {
      max: 100,
      unit: 'characters',
      of: 'the name of a GPU, its driver or bus id from nvidia-smi',
      beyond: 'cut',
    },
    journalctlError: {
      max: 4_096,
      unit: 'characters',
      of: 'the error output of journalctl',
      beyond: 'left out',
    },
    conntrackError: {
      max: 1_000,
      unit: 'characters',
      of: 'the error output of conntrack',
      beyond: 'the beginning is left out',
    },
  },
  page: {
    connections: {
      max: 256,
      unit: 'items',
      of: 'connections to the status page at once',
      beyond: 'more are closed at once',
    },
    streams: {
      max: 128,
      unit: 'items',
      of: 'streams of events to open pages at once',
      beyond: 'more are refused (`PAGE_BUSY`)',
    },
    header: { max: 16 * 1024, unit: 'bytes', of: 'the header of a request', beyond: 'it is refused (431)' },
    requestTime: {
      max: 5_000,
      unit: 'ms',
      of: 'the time in which a request has to come',
      beyond: 'the connection is closed',
    },
    pipelined: {
      max: 8,
      unit: 'items',
      of: 'requests of a connection that wait for an answer',
      beyond: 'the connection is closed',
    },
    links: {
      max: 100,
      unit: 'items',
      of: 'links to the page that nobody has used yet',
      beyond: 'the oldest do not work any more',
    },
    signedOut: {
      max: 1_000,
      unit: 'items',
      of: 'sessions of the last 30 days that were signed out',
      beyond: 'every session is signed out',
    },
    sessionsFile: {
      max: 256 * 1024,
      unit: 'bytes',
      of: 'the file with the secret of sessions',
      beyond: 'it is replaced, and every session is signed out',
    },
    passwordFile: {
      max: 4096,
      unit: 'bytes',
      of: 'the file with the page’s password, or with the token for metrics',
      beyond: 'the configuration is refused',
    },
  },
  journal: {
    durations: {
      max: 50,
      unit: 'items',
      of: 'past jobs of a function by which the duration of the next one is expected',
      beyond: 'older ones do not count',
    },
    unwrittenMinutes: {
      max: 1_000,
      unit: 'items',
      of: 'minutes of the use of GPUs that wait for a disk that refuses them',
      beyond: 'the oldest are left out',
    },
    decisions: {
      max: 1_000,
      unit: 'items',
      of: 'pauses and modes in force, one for each GPU and tag',
      beyond: 'another one is refused (`DECISIONS_FULL`)',
    },
    audit: {
      max: 10_000,
      unit: 'items',
      of: 'changes by the owner that are remembered with who made them',
      beyond: 'the oldest are deleted',
    },
    rejectedClaims: {
      max: 1_000,
      unit: 'items',
      of: 'claims that the broker rejected, since the start of the agent',
      beyond: 'the oldest are deleted',
    },
    reason: {
      max: 1_000,
      unit: 'characters',
      of: 'why a job was released, cancelled or dropped',
      beyond: 'cut',
    },
    output: {
      max: 64 * 1024,
      unit: 'characters',
      of: 'stdout of a job that has ended, and its stderr, for `jobs logs`',
      beyond: 'the beginning is left out',
    },
    outputs: {
      max: 1_000,
      unit: 'items',
      of: 'jobs of which that is kept',
      beyond: 'the oldest are deleted',
    },
    functionName: { max: 200, unit: 'characters', of: 'the name of a job’s function', beyond: 'cut' },
    buildLogs: {
      max: 2_000,
      unit: 'characters',
      of: 'build logs of a job that was reported',
      beyond: 'the end is left out',
    },
  },
  log: {
    text: { max: 2_000, unit: 'characters', of: 'a message or field of the log', beyond: 'cut' },
    line: { max: 16_000, unit: 'characters', of: 'all texts of a line of the log', beyond: 'cut' },
    items: { max: 100, unit: 'items', of: 'a list in a line of the log', beyond: 'left out' },
    depth: { max: 8, unit: 'levels', of: 'nesting in a line of the log', beyond: 'left out' },
    sameEvent: {
      max: 200,
      unit: 'items',
      of: 'lines of one event at once, then two a second; not of claimed jobs',
      beyond: 'counted, once a minute (`log-lines-omitted`)',
    },
    health: { max: 1_000, unit: 'characters', of: 'a text that `health` shows', beyond: 'cut' },
    recentEvents: {
      max: 1_000,
      unit: 'items',
      of: 'events that the running agent remembers for `events`',
      beyond: 'the oldest are forgotten',
    },
    recentEventsSize: {
      max: 2 * 1024 * 1024,
      unit: 'characters',
      of: 'the same, all together',
      beyond: 'the oldest are forgotten',
    },
    remembered: {
      max: 10_000,
      unit: 'items',
      of: 'things of one kind whose last line is remembered, so that it is not repeated',
      beyond: 'all are forgotten',
    },
    error: { max: 2_000, unit: 'characters', of: 'the message of an error, and its hint', beyond: 'cut' },
  },
} as const satisfies Readonly<Record<string, Limits>>;
