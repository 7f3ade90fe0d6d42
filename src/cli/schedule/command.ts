import { scheduleOf } from '../../compose.ts';
import { openProbe } from '../../compose-gpu.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, JSON_SWITCH } from '../command.ts';
import { gpuLimits } from '../gpu-limits.ts';
import { query, valueOf } from '../query.ts';
import { weekJson, weekText } from './render.ts';
import { weekOf } from './week.ts';

/** Reads the configuration and the GPUs only, so it needs no running agent. */
export const schedule: CliCommand = {
  name: 'schedule',
  summary: 'show when jobs may run in the next seven days, for each GPU and the CPU slots',
  group: 'Look',
  options: ['timeZone', 'cpuSlots', 'nvidiaSmi', 'nvidiaSmiTimeout', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    { line: 'schedule', does: 'by [[availability]] in the configuration file' },
    { line: 'schedule --time-zone America/New_York --json', does: 'in another time zone, as JSON' },
  ],
  run: async (context) => {
    const { config, warnings } = await context.loadConfig({ ask: false });
    const probed = await query(gpuLimits(config.nvidiaSmiTimeout), async (signal) => {
      return (await openProbe(config).read(signal)).gpus;
    });
    const host = { gpus: valueOf(probed), cpuSlots: config.cpuSlots };
    const evaluated = weekOf(scheduleOf(config), host, context.clock.now());
    const unread = 'error' in probed ? [`the GPUs are not shown: ${probed.error.message}`] : [];
    const week = { ...evaluated, notes: [...evaluated.notes, ...unread] };
    const { stdout } = context;
    stdout.write(context.has(JSON_SWITCH) ? weekJson(week, warnings) : weekText(week, stdout));
    return EXIT.OK;
  },
};
