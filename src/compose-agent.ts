import { AdmissionControl } from './agent/admission/admission.ts';
import { EngineBreaker } from './agent/admission/engine-breaker.ts';
import { Agent } from './agent/agent.ts';
import { Calendar } from './agent/calendar/calendar.ts';
import type { AgentDeps } from './agent/deps.ts';
import { EnergyMeter } from './agent/energy/energy-meter.ts';
import { GpuHealth } from './agent/gpu-health/gpu-health.ts';
import { RollupRecorder } from './agent/gpu-health/rollup-recorder.ts';
import { HoldLog } from './agent/holds/hold-log.ts';
import { Holds } from './agent/holds/holds.ts';
import { OwnerControl } from './agent/holds/owner-control.ts';
import { ImageDemands } from './agent/images/image-demand.ts';
import { ImagePuller } from './agent/images/image-puller.ts';
import { ImageUses } from './agent/images/image-uses.ts';
import { recordPulls } from './agent/images/own-pulls.ts';
import { DiskQuotaMonitor } from './agent/jobs/disk-quota.ts';
import { EVICTION_GRACE_MS } from './agent/jobs/job-containers.ts';
import { JobRunner } from './agent/jobs/job-runner.ts';
import { LiveOutputs } from './agent/jobs/live-outputs.ts';
import { OrphanContainers } from './agent/jobs/orphan-containers.ts';
import { SlotPool } from './agent/jobs/slot-pool.ts';
import { runTestContainer } from './agent/jobs/test-container.ts';
import { TrafficMonitor } from './agent/jobs/traffic-monitor.ts';
import { BackgroundTasks } from './agent/lifecycle/background-tasks.ts';
import { TokenRefresher } from './agent/lifecycle/token-refresher.ts';
import { CordonedOffers } from './agent/market/cordoned-offers.ts';
import { FunctionCode } from './agent/market/function-code.ts';
import { JobWindows } from './agent/market/job-windows.ts';
import { Market } from './agent/market/market.ts';
import { PaidChances } from './agent/market/paid-chances.ts';
import { RunResolver } from './agent/market/run-resolver.ts';
import { MarketRecorder } from './agent/market-history/market-recorder.ts';
import { recordedOffers } from './agent/market-history/recorded-offers.ts';
import { NetworkSelector } from './agent/network/network-selector.ts';
import { GpuCatalogue } from './agent/offers/gpu-catalogue.ts';
import { InstanceRegistrar } from './agent/offers/instance-registrar.ts';
import { OfferPlanner } from './agent/offers/offer-planner.ts';
import { MemoryReturn } from './agent/owner/memory-return.ts';
import { Overview } from './agent/owner/overview.ts';
import { OwnerCommands } from './agent/owner/owner-commands.ts';
import { DeskReports } from './agent/presence/desk-reports.ts';
import { ForeignGpuUse } from './agent/presence/foreign-gpu-use.ts';
import { OwnerPresence } from './agent/presence/owner-presence.ts';
import { PresenceHolds } from './agent/presence/presence-holds.ts';
import { SessionActivity } from './agent/presence/session-activity.ts';
import { costTerms } from './agent/pricing/cost-terms.ts';
import { Floors } from './agent/pricing/floors.ts';
import { Pricer } from './agent/pricing/pricer.ts';
import { GarbageCollector } from './agent/reconcile/garbage-collector.ts';
import { LeaseReconciler } from './agent/reconcile/lease-reconciler.ts';
import { Reporter } from './agent/reports/reporter.ts';
import { retryUntilStopped } from './agent/retry/retry-until-stopped.ts';
import { checksOfImages, keepImages } from './compose-images.ts';
import type { AgentError } from './domain/errors.ts';
import { CPU_TARGET, targetOf } from './domain/hold.ts';
import type { JobRecord } from './domain/job.ts';
import { networkWithoutVerification } from './domain/jobs-network.ts';
import type { Slot } from './domain/offer.ts';
import { ALL_TARGETS } from './domain/owner-decisions.ts';
import { type PowerModel, powerModelOf } from './domain/power-model.ts';
import { Notifier } from './lib/notifier.ts';
import { strategyOf } from './pricing/strategy/strategies.ts';

/**
 * Builds an agent bottom-up: each object gets finished ones. What has to be heard further down, such as a report that
 * a job leaves for the reporter, goes through a Notifier; all subscriptions are at the end.
 */
export function buildAgent(deps: AgentDeps): Agent {
  const { clock, log, observe, random, settings } = deps;
  const { once } = settings;
  const market = new AbortController();
  const detach = new AbortController();
  const reportPending = new Notifier();
  const accepted = new Notifier<JobRecord>();
  const returned = new Notifier<JobRecord>();
  const claimingResumed = new Notifier();
  const engineRecovered = new Notifier();
  const retryNow = new Notifier();

  const tasks = new BackgroundTasks(log, market.signal);
  const tokens = new TokenRefresher({ ...deps, renewed: retryNow, signal: detach.signal });
  const onRefused = (): void => tokens.rejected();
  const control = new OwnerControl({ decisions: deps.journal.decisions, clock, observe });
  const calendar = new Calendar(deps);
  const presenceHolds = new PresenceHolds();
  const holds = new Holds([control, presenceHolds, calendar], (target) => control.forced(target));
  const slots = new SlotPool((target) => holds.of(target) !== undefined);
  const breaker = new EngineBreaker({
    ...deps,
    test: (signal) => runTestContainer(testDeps, null, signal),
    roomMade: claimingResumed,
  });
  const orphanContainers = new OrphanContainers({ ...deps, detach: detach.signal });
  const admission = new AdmissionControl({
    ...deps,
    breaker,
    checks: [
      ...checksOfImages(deps.imageDisk),
      ...deps.admissionChecks,
      { name: 'orphans', why: () => orphanContainers.problem() },
    ],
    // While claims are stopped, so that a restart of the engine is noticed.
    busy: () => slots.busy || breaker.isOpen,
    resumed: claimingResumed,
    engineRecovered,
    signal: detach.signal,
  });
  const testDeps = {
    ...deps,
    runtime: admission.testRuntime,
    resources: () => deps.jobResources(slots.size),
    network: networkWithoutVerification(deps.network),
    detach: detach.signal,
  };
  const identity = deps.runtime.identity?.bind(deps.runtime);
  const host = {
    ...deps,
    ...admission.ports,
    runtime: recordPulls(admission.ports.runtime, {
      ...deps,
      records: admission.ports.journal.images,
      identity,
    }),
    identity,
    uses: new ImageUses(),
    orphanContainers,
    resources: () => deps.jobResources(slots.size),
    detach: detach.signal,
  };

  const { rollups } = deps;
  const recorder = rollups && new RollupRecorder({ ...host, rollups, signal: detach.signal });
  const energy =
    recorder && new EnergyMeter({ ...host, store: deps.journal.energy, recorder, signal: detach.signal });
  const powerModel = (gpu: string): PowerModel =>
    energy?.powerModel(gpu) ?? powerModelOf(undefined, undefined);
  const floors = new Floors({
    electricity: deps.electricity,
    powerModel,
    paidTime: () => host.journal.sums.paidTime(),
    clock,
  });
  const gpuHealth = new GpuHealth({
    ...host,
    testGpu: (gpu, signal) => runTestContainer(testDeps, gpu, signal),
    kernelLog: deps.kernelLog,
    gpuProbeMs: settings.gpuProbeMs,
    minFreeGpuMemory: settings.minFreeGpuMemory,
    maxGpuTemperature: settings.maxGpuTemperature,
    samples: deps.samples,
    recorder,
    energy,
    vulnerabilities: deps.vulnerabilities,
    slots,
    market: market.signal,
  });
  const images = new ImagePuller({
    ...host,
    images: host.runtime.images,
    maxPulls: settings.maxPulls,
    signal: market.signal,
  });
  const networks = new NetworkSelector({ ...host, wanted: deps.network });
  const outputs = new LiveOutputs();
  const jobRunner = new JobRunner({
    ...host,
    outputs,
    ...settings,
    disk: new DiskQuotaMonitor({ ...host, ...settings }),
    traffic: new TrafficMonitor({ ...host, ...settings }),
    gpus: gpuHealth,
    networkFor: (image) => networks.networkFor(image),
    failedSince: (since) => admission.failedSince(since),
    reportPending,
    returned,
    testContainer: ({ gpu, network }, signal) => runTestContainer({ ...testDeps, network }, gpu, signal),
    blockImage: (image, error) => images.block(image, error),
  });
  const reporter = new Reporter({ ...host, accepted, onRefused });
  const cancel = (job: string, why: string): void => jobRunner.cancel(job, why);
  const reconciler = new LeaseReconciler({ ...host, cancel, onRefused });
  const isActive = (job: string): boolean => jobRunner.isActive(job);
  const garbage = new GarbageCollector({ ...host, isActive });

  const onBlocked = (error: AgentError, retryInMs: number): void =>
    observe({ kind: 'startup-blocked', error, retryInMs });
  const retry = { clock, random, onBlocked, once, onRefused, sooner: () => retryNow.next };
  const whileOnMarket = retryUntilStopped({ ...retry, signal: market.signal });
  const catalogue = new GpuCatalogue(deps);
  const planner = new OfferPlanner({
    catalogue,
    gpus: () => gpuHealth.gpus(),
    planOffers: deps.planOffers,
    retryUntilStopped: whileOnMarket,
    log,
    once,
  });
  const functionCode = new FunctionCode(host.broker);
  const resolver = new RunResolver({ ...host, functionCode, signal: market.signal });
  const holdLog = new HoldLog(holds, observe);
  const holdOf = ({ gpu }: Pick<Slot, 'gpu'>): string | undefined => holds.of(targetOf({ gpu }))?.why;
  const chances = new PaidChances(host.journal.outcomes);
  const demand: ImageDemands = new ImageDemands({
    ...host,
    records: host.journal.images,
    asks: () => offers.workers.map(({ offer }) => offer.askPrice),
  });
  const offers = new Market({
    ...host,
    demand,
    slots,
    holdOf,
    run: (task) => tasks.run(task),
    onHolds: () => holdLog.report(slots.targets),
    holdWhy: (offer) => offer.slots.map(holdOf).find((why) => why !== undefined),
    admission,
    catalogue,
    images,
    resolver,
    functionCode,
    registrar: new InstanceRegistrar(host),
    jobRunner,
    leases: reconciler,
    chances,
    windows: new JobWindows({
      ...host,
      jobTimeoutMs: settings.jobTimeoutMs,
      windowEnd: (slot) => holds.begins(targetOf(slot)),
    }),
    floor: (offer, durationMs) => floors.highest(offer, durationMs)?.floor.perMinute,
    reportPending,
    onAnswer: (again) => {
      tokens.accepted();
      reporter.brokerAnswered(again);
    },
    onRefused,
    market: market.signal,
    retryUntilStopped: whileOnMarket,
  });

  const workerOf = (offer: string) => offers.workers.find((worker) => worker.offer.key === offer);
  const pricer = new Pricer({
    ...host,
    prices: host.journal.prices,
    settings: deps.askSettings,
    strategy: (settings) => strategyOf(settings.strategy, settings),
    cost: deps.offerCost ?? ((offer) => floors.cost(offer)),
    market: deps.marketSight ?? (() => Promise.resolve(undefined)),
    slots: (offer) => workerOf(offer)?.slotUse(admission.problem() === undefined) ?? [],
    apply: (plan) => {
      offers.setPrices([plan]);
      const worker = workerOf(plan.key);
      if (worker !== undefined) tasks.run(offers.reprice(worker));
    },
  });

  const kept = keepImages({ ...host, images, demand, workers: () => offers.workers });

  const { marketHistory } = deps;
  const marketRecorder =
    marketHistory &&
    new MarketRecorder({
      ...host,
      history: marketHistory,
      catalogue,
      offers: () => recordedOffers(offers.workers, admission.problem() === undefined),
    });

  const desks = new DeskReports(clock);
  const isIdle = (gpu: string): boolean => gpuHealth.isIdle(gpu);
  const presence =
    deps.presence &&
    new OwnerPresence({
      ...deps.presence,
      gpuUse: new ForeignGpuUse({
        ...deps,
        ...deps.presence,
        samples: deps.samples,
        containers: admission.containers,
        isIdle,
      }),
      sessions: new SessionActivity({ ...deps, sessions: deps.presence.sessions }),
      desks,
      holds: presenceHolds,
      isHeld: (target) => holds.of(target) !== undefined,
      isBusy: (target) => !isIdle(target),
      reclaim: (target, why) =>
        jobRunner.evictFrom(({ gpu }) => targetOf({ gpu }) === target, why, EVICTION_GRACE_MS).vacated,
      clock,
      observe,
    });

  reportPending.subscribe(() => reporter.wake());
  accepted.subscribe((job) => offers.accepted(job));
  accepted.subscribe((job) => chances.reported(job));
  accepted.subscribe((job) => demand.ended(job));
  returned.subscribe((job) => offers.returned(job));
  returned.subscribe((job) => demand.ended(job));
  claimingResumed.subscribe(() => offers.wake());
  gpuHealth.polled.subscribe((gpus) => calendar.seen(gpus));
  gpuHealth.polled.subscribe((gpus) => energy?.learn(gpus));
  deps.samples?.sampled.subscribe(() => energy?.tick());
  gpuHealth.polled.subscribe((gpus) => presence?.learn(gpus));
  holds.changed.subscribe(() => {
    slots.holdsChanged();
    offers.holdsChanged();
  });
  gpuHealth.polled.subscribe(() => control.learn(gpuHealth.parents));
  breaker.changed.subscribe((problem) => {
    // Logs it at once, rather than with the next poll.
    admission.blockedBy();
    if (problem === undefined) offers.resume('engine');
    else offers.suspend('engine', problem.message);
  });
  engineRecovered.subscribe(() => {
    garbage.soon();
    breaker.testSoon();
  });
  retryNow.subscribe(() => {
    resolver.retryNow();
    offers.restartPolls();
    reconciler.now();
    reporter.retrySoon();
  });

  const cordonedOffers = new CordonedOffers({
    workers: () => offers.workers,
    why: () => gpuHealth.problem?.why,
    clock,
  });
  const owner = new OwnerCommands({
    control,
    holds,
    jobRunner,
    memory: new MemoryReturn({ gpuHealth, clock, signal: detach.signal }),
    gpus: () => gpuHealth.known(),
    minors: (gpus) => deps.probe.minors?.(gpus, detach.signal) ?? Promise.resolve(new Map()),
    hasCpuSlots: () => slots.has(CPU_TARGET),
    problem: () => admission.problem(),
    nextChange: (targets, known) =>
      calendar.nextChange(targets === ALL_TARGETS ? [...known, CPU_TARGET] : targets),
    clock,
    observe,
  });
  const overview = new Overview({
    gpuHealth,
    holds,
    control,
    slots,
    offers: () =>
      offers.workers.map((worker) => ({
        offer: worker.offer,
        used: worker.usedSlots,
        open: worker.openSlots,
        suspended: worker.suspendedWhy,
        states: worker.slotStates,
        runs: worker.poller.runs?.length,
        skips: worker.skips,
      })),
    journal: host.journal,
    samples: deps.samples,
  });
  return new Agent({
    control,
    owner,
    overview,
    outputs,
    market,
    detach,
    tasks,
    recovery: { ...host, reportPending },
    admission,
    reporter,
    reconciler,
    garbage,
    gpuHealth,
    calendar,
    presence,
    desks,
    slots,
    jobRunner,
    planner,
    catalogue,
    pricer,
    imageWorkers: kept.workers,
    images: kept.images,
    costs: () => costTerms({ electricity: deps.electricity, floors, powerModel, clock }),
    marketRecorder,
    demand,
    offers,
    cordonedOffers,
    retryNow,
    retryUntilExit: retryUntilStopped({ ...retry, signal: detach.signal }),
    journal: host.journal,
    clock,
    log,
    observe,
    once,
  });
}
