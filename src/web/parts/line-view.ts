import { NOTHING_SHOWN, type Shown, visibleOutput } from '../output-lines.ts';

/** Lines in an element; only what has changed of them is drawn. */
export class LineView {
  readonly #box: HTMLElement;
  #shown = NOTHING_SHOWN;

  constructor(box: HTMLElement) {
    this.#box = box;
    box.replaceChildren();
  }

  show(next: Shown): void {
    const before = this.#shown;
    this.#shown = next;
    const gone = next.dropped - before.dropped;
    if (gone < 0 || gone > before.lines.length || next.lines.length + gone < before.lines.length)
      this.#box.replaceChildren();
    else for (let count = 0; count < gone; count++) this.#box.firstChild?.remove();
    const added = document.createDocumentFragment();
    for (const [index, line] of next.lines.entries()) {
      const element = this.#box.children[index];
      if (element === undefined) added.append(lineOf(line));
      else if (line !== before.lines[index + gone]) element.replaceWith(lineOf(line));
    }
    this.#box.append(added);
  }
}

function lineOf({ stream, text }: Shown['lines'][number]): HTMLElement {
  const line = document.createElement('div');
  line.className = `line line-${stream}`;
  // Text only: it is a stranger’s.
  line.textContent = visibleOutput(text);
  return line;
}
