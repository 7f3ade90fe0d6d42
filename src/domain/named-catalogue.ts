import type { CatalogueGpu } from './gpu.ts';
import { type GpuName, parseGpuName } from './gpu-name.ts';

/** A catalogue entry with its name parsed, which costs too much to be done for each GPU. */
export type NamedGpu = {
  readonly entry: CatalogueGpu;
  readonly name: GpuName;
  /** Its uuid, codename and name as `plain` writes them. */
  readonly plain: readonly string[];
};

/** Parses the names of a catalogue; a `yield` follows each, because the broker decides how many there are. */
export function* nameInSteps(catalogue: readonly CatalogueGpu[]): Generator<void, readonly NamedGpu[]> {
  const named: NamedGpu[] = [];
  for (const entry of catalogue) {
    named.push(nameOf(entry));
    yield;
  }
  return named;
}

/** As `nameInSteps`, at once. */
export function namedCatalogue(catalogue: readonly CatalogueGpu[]): readonly NamedGpu[] {
  return catalogue.map(nameOf);
}

/** In small letters, without repeated blanks. */
export function plain(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

function nameOf(entry: CatalogueGpu): NamedGpu {
  const { codename, name, uuid } = entry;
  return { entry, name: parseGpuName(name), plain: [uuid, codename, name].map(plain) };
}
