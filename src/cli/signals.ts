/** What a signal asks of a running daemon. */
export type SignalPlan = {
  /** First SIGTERM or SIGINT: end now; running jobs keep running and the next start goes on with them. */
  readonly stop: () => void;
  /** SIGUSR1: no new jobs, wait for those that run, report all, end. */
  readonly drain: () => void;
  /** A signal while stopping: end without waiting for anything more. */
  readonly abandon: () => void;
};

/** Listens for the daemon's signals; answers how to stop listening. */
export function onSignals(plan: SignalPlan): () => void {
  let stopping = false;
  const end = (): void => {
    if (stopping) plan.abandon();
    else plan.stop();
    stopping = true;
  };
  const drain = (): void => plan.drain();
  process.on('SIGTERM', end).on('SIGINT', end).on('SIGUSR1', drain);
  return () => process.off('SIGTERM', end).off('SIGINT', end).off('SIGUSR1', drain);
}
