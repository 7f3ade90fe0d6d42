import type { Loaded } from '../../config/config.ts';
import { gpuSettings, plainModel } from '../../config/gpu-settings.ts';
import { OPTIONS, type OptionKey } from '../../config/options.ts';
import { AgentError } from '../../domain/errors.ts';
import { matchGpu } from '../../domain/match-gpu.ts';
import { namedCatalogue } from '../../domain/named-catalogue.ts';
import { PRESENCE_ACTIONS, type PresenceAction } from '../../domain/presence.ts';
import type { CliContext } from '../command.ts';
import type { Prompts } from '../prompts/prompts.ts';
import type { FileChange, FileTable } from './changes.ts';
import type { Conversation } from './conversation.ts';
import type { Explored } from './explore.ts';
import { AVAILABLE_DAYS, AVAILABLE_HOURS } from './flags.ts';
import { validates } from './price-questions.ts';

/** How many CPU jobs to propose where there is no GPU. */
const CPU_SLOTS = 1;

const ACTION_HINTS: Readonly<Record<PresenceAction, string>> = {
  pause: 'no new jobs, the running one ends',
  reclaim: 'its job ends at once, unpaid',
  ignore: 'jobs as always',
};

/** What else an owner decides. A question that a flag answers is not asked. */
export class Questions {
  readonly #loaded: Loaded;
  readonly #explored: Explored;
  readonly #talk: Conversation;

  constructor(loaded: Loaded, explored: Explored, talk: Conversation) {
    this.#loaded = loaded;
    this.#explored = explored;
    this.#talk = talk;
  }

  /** Which entry of the catalogue a GPU is, where its name fits several. */
  async entries(): Promise<readonly FileChange[]> {
    const { prompts } = this.#talk;
    const { catalogue, gpus } = this.#explored;
    const changes: FileChange[] = [];
    const named = namedCatalogue(catalogue);
    for (const [gpu] of Map.groupBy(gpus, ({ model }) => plainModel(model)).values()) {
      if (gpu === undefined || prompts === undefined) continue;
      if (gpuSettings(this.#loaded.config.gpus, gpu.model)?.catalogue !== undefined) continue;
      const match = matchGpu(gpu, named);
      const [first] = match.kind === 'match' ? [] : match.candidates;
      if (match.kind === 'match' || first === undefined) continue;
      const uuid = await prompts.select({
        message: `Which entry of the broker’s catalogue is ${gpu.model}?`,
        choices: [
          ...match.candidates.map(({ codename, name, uuid: value }) => ({
            value,
            label: name,
            hint: codename,
          })),
          { value: '', label: 'none of these', hint: 'it is not offered' },
        ],
        initial: first.uuid,
      });
      const entry = match.candidates.find((one) => one.uuid === uuid);
      if (entry !== undefined)
        changes.push({ path: ['gpu', gpu.model, 'catalogue'], value: entry.codename || entry.uuid });
    }
    return changes;
  }

  /**
   * How many CPU jobs at once, where there is no GPU to offer. Throws why there is none where nobody can be asked and no CPU
   * jobs are wanted.
   */
  async cpuSlots(): Promise<readonly FileChange[]> {
    const { gpus, noGpu } = this.#explored;
    const { config, sources } = this.#loaded;
    if (gpus.length > 0 || sources.cpuSlots.kind === 'flag') return [];
    const { prompts, say } = this.#talk;
    if (prompts === undefined) {
      if (config.cpuSlots > 0) return [];
      throw new AgentError(noGpu?.code ?? 'GPU_NONE', noGpu?.message ?? 'this host has no GPU', {
        hint: 'fix that, or offer CPU jobs with --cpu-slots N',
      });
    }
    say(`${noGpu?.message ?? 'this host has no GPU'}; CPU jobs can be offered`, 'warn');
    const written = await prompts.text({
      message: 'How many CPU jobs at once? (0: none)',
      initial: String(config.cpuSlots || CPU_SLOTS),
      validate: validates(OPTIONS.cpuSlots.type),
    });
    return [{ path: ['cpu-slots'], value: OPTIONS.cpuSlots.type.read([written]) }];
  }

  /** Images, presence, the page and notifications. */
  async options(): Promise<readonly FileChange[]> {
    const { prompts } = this.#talk;
    if (prompts === undefined) return [];
    const { config } = this.#loaded;
    const changes: FileChange[] = [];
    if (this.#isOpen('images')) {
      const written = await prompts.text({
        message: 'Which images may jobs use? (* matches any characters; several with commas)',
        initial: OPTIONS.images.type.show(config.images),
        validate: validates(OPTIONS.images.type),
      });
      changes.push({ path: ['images'], value: OPTIONS.images.type.read([written]) });
    }
    if (this.#explored.gpus.some(({ displayActive }) => displayActive === true)) {
      changes.push(
        ...(await this.#presence(
          prompts,
          'whenActive',
          'While you use this computer, its GPU with the display',
        )),
      );
      changes.push(
        ...(await this.#presence(prompts, 'whenGaming', 'While a game runs under GameMode, that GPU')),
      );
    }
    if (this.#isOpen('listen')) {
      const isOn = config.listen !== 'off';
      const address = isOn ? OPTIONS.listen.type.show(config.listen) : OPTIONS.listen.default;
      const on = await prompts.confirm({
        message: `Serve the status page at http://${address}?`,
        initial: isOn,
      });
      if (on !== isOn) changes.push({ path: ['listen'], value: on ? address : 'off' });
    }
    changes.push(...(await this.#notifications(prompts)));
    return changes;
  }

  /** When jobs are taken, unless the file has a schedule. */
  async schedule(context: CliContext): Promise<readonly FileTable[]> {
    const { prompts, say } = this.#talk;
    let hours = context.valueOf(AVAILABLE_HOURS);
    let days = context.valueOf(AVAILABLE_DAYS);
    const isGiven = hours !== '' || days !== '';
    if (this.#loaded.config.availability.length > 0) {
      if (isGiven) say('the file has a schedule already, which was left as it is', 'warn');
      return [];
    }
    if (!isGiven && prompts !== undefined) {
      if (await prompts.confirm({ message: 'Take jobs at all times?', initial: true })) return [];
      hours = await prompts.text({
        message: 'In which hours? (such as 22:00-07:00)',
        initial: '22:00-07:00',
        validate: validates(AVAILABLE_HOURS.type),
      });
      days = await prompts.text({
        message: 'On which days? (such as weekdays, or sat,sun; empty: every day)',
        validate: validates(AVAILABLE_DAYS.type),
      });
    }
    if (hours === '' && days === '') return [];
    const values = { ...(days !== '' && { days }), ...(hours !== '' && { hours }), available: true };
    const comment = 'When jobs are taken; `sharedcloud-agent schedule` shows the coming week.';
    return [{ name: 'availability', values, comment }];
  }

  /** Where to send what needs attention, unless that is set. */
  async #notifications(prompts: Prompts): Promise<readonly FileChange[]> {
    const { notifyCommand, notifyNtfy, notifyWebhook } = this.#loaded.config;
    if ([notifyCommand, notifyNtfy, notifyWebhook].some((target) => target !== undefined)) return [];
    const type = OPTIONS.notifyNtfy.type;
    const written = await prompts.text({
      message: 'Notifications to a topic of ntfy (such as https://ntfy.sh/TOPIC; empty: none)',
      validate: (text) => (text === '' ? undefined : validates(type)(text)),
    });
    return written === '' ? [] : [{ path: [OPTIONS.notifyNtfy.name], value: type.read([written]) }];
  }

  async #presence(
    prompts: Prompts,
    key: 'whenActive' | 'whenGaming',
    message: string,
  ): Promise<readonly FileChange[]> {
    if (!this.#isOpen(key)) return [];
    const value = await prompts.select({
      message,
      choices: PRESENCE_ACTIONS.map((action) => ({
        value: action,
        label: action,
        hint: ACTION_HINTS[action],
      })),
      initial: this.#loaded.config[key],
    });
    return [{ path: [OPTIONS[key].name], value }];
  }

  #isOpen(key: OptionKey): boolean {
    return this.#loaded.sources[key].kind !== 'flag';
  }
}
