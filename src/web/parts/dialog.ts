import { useEffect, useRef } from 'preact/hooks';
import { type Drawn, html } from '../html.ts';

/**
 * A modal dialog, open for as long as it is drawn. Esc, the button and a click beside it close it; the browser brings the focus
 * back to where it was. `onClose` has to take it out of the page.
 */
export function Dialog({
  children,
  onClose,
  title,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children?: Drawn;
}): Drawn {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current } = dialog;
    current?.showModal();
    // Closing it gives the focus back, which taking it out of the page alone would not.
    return () => current?.close();
  }, []);
  const closeBeside = (event: MouseEvent): void => {
    if (event.target === dialog.current) dialog.current?.close();
  };
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="dialog-title" onClose=${onClose} onClick=${closeBeside}>
    <div class="dialog-body">
      <div class="dialog-head">
        <h2 id="dialog-title">${title}</h2>
        <button type="button" class="quiet icon-button" aria-label="Close" onClick=${() => dialog.current?.close()}>
          <${Cross} />
        </button>
      </div>
      ${children}
    </div>
  </dialog>`;
}

function Cross(): Drawn {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" /></svg>`;
}
