import { expect, test } from 'vitest';
import { checkGpuTemperature } from '../../../src/cli/check/check-gpu-temperature.ts';
import { aGpu } from '../../support/domain.ts';

const LIMITED = { gpus: [], maxGpuTemperature: 80 };
const FREE = { gpus: [], maxGpuTemperature: Number.POSITIVE_INFINITY };

test.each([
  ['a cool GPU', { temperatureC: 79 }, LIMITED, 0],
  ['a GPU at its limit', { temperatureC: 80 }, LIMITED, 1],
  ['a GPU that does not say how hot it is', { temperatureC: undefined }, LIMITED, 1],
  ['a GPU with a fault', { temperatureC: 99, fault: 'it is lost' }, LIMITED, 0],
  ['a hot GPU without a limit', { temperatureC: 99 }, FREE, 0],
  ['an unknown temperature without a limit', { temperatureC: undefined }, FREE, 0],
  [
    'a hot GPU whose model has no limit',
    { temperatureC: 99, model: 'NVIDIA T4' },
    {
      ...LIMITED,
      gpus: [
        {
          model: 'NVIDIA T4',
          askPrice: undefined,
          catalogue: undefined,
          slots: undefined,
          maxGpuTemperature: Number.POSITIVE_INFINITY,
        },
      ],
    },
    0,
  ],
])('%s has so many warnings', (_, more, config, warnings) => {
  const results = checkGpuTemperature(config, [aGpu(more)]);
  expect(results.map(({ level }) => level)).toEqual(Array.from({ length: warnings }, () => 'warn'));
});
