import type { MinFreeMemory } from '../domain/gpu-memory.ts';
import { showSize, size } from './size.ts';
import { BadValue, quoted, single, type ValueType } from './value-type.ts';

const PART = /^(\d+(?:\.\d+)?)\s*%$/;

/** A size from `min` to `max`, or a part such as `10%`. */
export function sizeOrPart(min: string, max: string): ValueType<MinFreeMemory> {
  const sizes = size(min, max);
  const hint = `write a size from ${min} to ${max} with its unit, such as 2 GB, or a part from 0% to 90%, such as 10%`;
  return single<MinFreeMemory>({
    metavar: 'SIZE',
    parse: (text) => {
      const percent = PART.exec(text)?.[1];
      if (percent === undefined) return { bytes: sizeIn(text, sizes, hint) };
      if (Number(percent) > 90) throw new BadValue(`${quoted(text)} is more than 90%`, hint);
      return { part: Number(percent) / 100 };
    },
    show: (value) => ('bytes' in value ? showSize(value.bytes) : `${Number((value.part * 100).toFixed(4))}%`),
  });
}

/** A bare number gets a hint about both ways to write it. */
function sizeIn(text: string, sizes: ValueType<number>, hint: string): number {
  try {
    return sizes.read([text]);
  } catch (thrown) {
    throw thrown instanceof BadValue ? new BadValue(thrown.message, hint) : thrown;
  }
}
