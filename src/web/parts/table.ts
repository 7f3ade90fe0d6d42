import { type Drawn, html } from '../html.ts';

export type TableProps = {
  /** Said to those who cannot see what stands above the table. */
  readonly caption: string;
  readonly columns: readonly string[];
  /** The cells; the first of a row names it. */
  readonly rows: readonly (readonly string[])[];
};

/** Figures in rows and columns; it scrolls in itself, also by keyboard. */
export function DataTable({ caption, columns, rows }: TableProps): Drawn {
  return html`<div class="table-frame" role="region" aria-label=${caption} tabindex="0">
    <table class="table">
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>${columns.map((column) => html`<th scope="col"><bdi>${column}</bdi></th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...others]) =>
            html`<tr><th scope="row">${first}</th>${others.map((cell) => html`<td>${cell}</td>`)}</tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
