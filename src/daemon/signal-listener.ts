import {
  ACTIONS,
  type Action,
  type Phase,
  SIGNAL_TABLE,
  SIGNALS,
  type SignalKind,
} from '../domain/signals.ts';

/**
 * Translates this process's signals into actions, phase by phase. Signals that arrive before `open` wait for it, so
 * that none is lost while the agent is built. On a terminal SIGHUP means that the terminal is gone, and acts as SIGTERM.
 */
export class SignalListener implements Disposable {
  readonly #waiting: Action[] = [];
  readonly #listeners: readonly { readonly name: NodeJS.Signals; readonly listener: () => void }[];
  #act: (action: Action) => void = (action) => void this.#waiting.push(action);
  #phase: Phase = 'working';

  constructor(onTerminal: boolean) {
    const on = (names: readonly NodeJS.Signals[], kind: SignalKind) =>
      names.map((name) => ({ name, listener: () => this.#receive(kind) }));
    this.#listeners = [
      ...on(SIGNALS.end, 'end'),
      ...on(SIGNALS.drain, 'drain'),
      ...on(SIGNALS.reload, onTerminal ? 'end' : 'reload'),
    ];
    for (const { listener, name } of this.#listeners) process.on(name, listener);
  }

  /** Passes each action on, first those that waited. */
  open(act: (action: Action) => void): void {
    this.#act = act;
    for (const action of this.#waiting.splice(0)) act(action);
  }

  [Symbol.dispose](): void {
    for (const { listener, name } of this.#listeners) process.off(name, listener);
  }

  #receive(kind: SignalKind): void {
    const action = SIGNAL_TABLE[this.#phase][kind];
    this.#phase = ACTIONS[action].leadsTo ?? this.#phase;
    this.#act(action);
  }
}
