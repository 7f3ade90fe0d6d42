import { atOnce, type Strategy } from './strategy.ts';

/** Asks the floor times a margin, so that the ask follows the price of electricity. */
export function floorMargin(margin: number): Strategy {
  return {
    needs: ['floor'],
    next: atOnce(({ floor }) => ({
      choice: floor === undefined ? undefined : { ask: floor * margin, reason: 'floor-margin' },
      memory: {},
    })),
  };
}
