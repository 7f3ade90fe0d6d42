import { useMemo } from 'preact/hooks';
import type { Configuration, Versions } from '../answers.ts';
import { type Drawn, html } from '../html.ts';
import { isChanged, type Option, optionGroups } from '../option-groups.ts';
import { useAnswer } from '../parts/answer.ts';
import { Badge } from '../parts/badge.ts';
import { Facts } from '../parts/facts.ts';
import { Hint } from '../parts/failure.ts';
import { Filters, Search } from '../parts/filters.ts';
import { useHashQuery } from '../parts/hash-query.ts';
import { Trouble } from '../parts/trouble.ts';
import { Whole } from '../parts/whole.ts';
import { useApi } from '../services.ts';

/** The configuration with its sources, and what the agent runs on. Nothing can be changed here. */
export function Settings(): Drawn {
  const api = useApi();
  const versions = useAnswer(() => api.versions(), []);
  const configuration = useAnswer(() => api.configuration(), []);
  return html`<h1 tabindex="-1">Settings</h1>
    <${Trouble} answer=${versions} />
    ${versions.value && html`<${Vulnerabilities} versions=${versions.value} />`}
    <${Trouble} answer=${configuration} />
    ${configuration.value === undefined && configuration.problem === undefined && html`<p class="waiting">Loading …</p>`}
    ${configuration.value && html`<${Options} configuration=${configuration.value} />`}
    ${versions.value && html`<${Host} versions=${versions.value} />`}`;
}

function Vulnerabilities({ versions: { vulnerabilities } }: { readonly versions: Versions }): Drawn {
  if (vulnerabilities.length === 0) return null;
  return html`<section class="card" aria-labelledby="vulnerabilities-title">
    <h2 id="vulnerabilities-title">Known vulnerabilities</h2>
    <ul class="vulnerabilities">
      ${vulnerabilities.map(
        ({ accepted, hint, id, what }) => html`<li key=${id}>
          <p>
            <b>${id}</b> <${Badge} tone=${accepted ? 'idle' : 'bad'} word=${accepted ? 'accepted by you' : 'not accepted'} />
          </p>
          <p><${Whole} text=${what} /></p>
          <${Hint} text=${hint} />
        </li>`,
      )}
    </ul>
  </section>`;
}

function Options({ configuration: { file, options } }: { readonly configuration: Configuration }): Drawn {
  const [query, setQuery] = useHashQuery();
  const text = query['text'] ?? '';
  const groups = useMemo(() => optionGroups(options, text), [options, text]);
  return html`<section aria-labelledby="options-title">
    <h2 id="options-title">Configuration</h2>
    <p class="settings-file">
      ${file === null ? 'There is no configuration file.' : html`File: <code><${Whole} text=${file} /></code>`}
    </p>
    <details class="settings-how">
      <summary>How to change an option</summary>
      <ol>
        <li>Edit the file${file === null && ', see sharedcloud-agent setup'}. A flag or a variable of the environment goes before it.</li>
        <li>Check it: <code>sharedcloud-agent check</code></li>
        <li>
          Restart the agent; its jobs keep running. For options marked “reloads” a SIGHUP is enough:${' '}
          <code>systemctl reload sharedcloud-agent</code>
        </li>
      </ol>
    </details>
    <${Filters} label="Search of options">
      <${Search} label="Search" hint="Name, value or help" value=${text} onChange=${(value: string) => setQuery('text', value)} />
    </${Filters}>
    ${groups.length === 0 && html`<p class="empty">No option matches.</p>`}
    ${groups.map(
      ({
        options: members,
        title,
      }) => html`<section key=${title} class="card option-group" aria-label=${`${title} options`}>
        <h3>${title}</h3>
        <ul class="options">${members.map((option) => html`<${Row} key=${option.option} option=${option} />`)}</ul>
      </section>`,
    )}
  </section>`;
}

function Row({ option }: { readonly option: Option }): Drawn {
  const { help, option: name, reloads, secret, source, value } = option;
  return html`<li class="option">
    <p class="option-name"><code>--${name}</code> ${reloads && html`<span class="badge">reloads</span>`}</p>
    <p class="option-value">
      ${value === null ? html`<span class="muted">${secret && isChanged(option) ? 'set, and not shown' : 'not set'}</span>` : html`<${Whole} text=${value} />`}
    </p>
    <p class="option-source small muted">${isChanged(option) ? html`from <${Whole} text=${source} />` : 'default'}</p>
    <p class="option-help small">${withCode(help)}</p>
  </li>`;
}

function Host({ versions: { host, versions, vulnerabilities } }: { readonly versions: Versions }): Drawn {
  return html`<div class="settings-host">
    <section class="card" aria-labelledby="host-title">
      <h2 id="host-title">This host</h2>
      <${Facts} facts=${host.map(({ value, what }) => [what, html`<${Whole} text=${value ?? 'unknown'} />`])} />
    </section>
    <section class="card" aria-labelledby="versions-title">
      <h2 id="versions-title">Versions</h2>
      <${Facts} facts=${versions.map(({ version, what }) => [what, version === null ? html`<span class="muted">unknown</span>` : html`<${Whole} text=${version} />`])} />
      ${vulnerabilities.length === 0 && html`<p class="small muted">No known vulnerabilities.</p>`}
    </section>
  </div>`;
}

/** What stands in backticks as code. */
function withCode(text: string): Drawn {
  return html`${text.split('`').map((part, index) => (index % 2 === 0 ? html`<${Whole} text=${part} />` : html`<code>${part}</code>`))}`;
}
