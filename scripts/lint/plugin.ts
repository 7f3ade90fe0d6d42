import { relative, resolve } from 'node:path';
import { whyForbidden } from './floors.ts';

const SRC = resolve(import.meta.dirname, '../../src');

/** The part of a syntax node that this plugin reads: https://oxc.rs/docs/guide/usage/linter/js-plugins */
type Importing = { readonly source: { readonly value?: unknown } | null };
type Context = {
  readonly filename: string;
  readonly report: (problem: { readonly node: Importing; readonly message: string }) => void;
};

/** The linter's rule about floors. Imports of types count: they tie folders together as much as imports of values. */
const floors = {
  create({ filename, report }: Context) {
    const check = (node: Importing): void => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string') return;
      const message = whyForbidden(relative(SRC, filename), specifier);
      if (message !== undefined) report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: check,
    };
  },
};

export default { meta: { name: 'project' }, rules: { floors } };
