import { useMemo, useState } from 'preact/hooks';
import type { History } from '../answers.ts';
import { axisFormatsOf } from '../axis.ts';
import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { useAnswer } from '../parts/answer.ts';
import { Dialog } from '../parts/dialog.ts';
import { Plot, type PlotProps } from '../parts/plot.ts';
import { Segments } from '../parts/segments.ts';
import { Trouble } from '../parts/trouble.ts';
import { earningsFigures, totalAt, type UsageField, usageFigures } from '../series.ts';
import { useApi, useFormats, useServices } from '../services.ts';
import { DAY, HOUR, MINUTE } from '../time-units.ts';

const EARNING_DAYS = 30;

const SPANS = [
  { name: '1 h', title: '1 hour', ms: HOUR },
  { name: '6 h', title: '6 hours', ms: 6 * HOUR },
  { name: '1 d', title: '1 day', ms: DAY },
  { name: '2 d', title: '2 days', ms: 2 * DAY },
  { name: '7 d', title: '7 days', ms: 7 * DAY },
  { name: '30 d', title: '30 days', ms: 30 * DAY },
  { name: '1 y', title: '1 year', ms: 365 * DAY },
] as const;
type Span = (typeof SPANS)[number];
const FIRST_SPAN: Span = SPANS[2];

/** What a span of time shows. */
type Seen = { readonly from: number; readonly to: number; readonly history: History };

/** Earnings per day and the use of the GPUs over time. */
export function Plots(): Drawn {
  const [span, setSpan] = useState<Span>(FIRST_SPAN);
  const [enlarged, setEnlarged] = useState<string | undefined>(undefined);
  const { ask, dayZone, isBusy, plots, problem, timeZone } = usePlots(span.ms);
  const large = plots.find(({ key }) => key === enlarged);
  return html`<section class="usage" aria-labelledby="usage-title">
    <div class="view-head">
      <h2 id="usage-title">Usage and earnings</h2>
      <${Segments}
        legend="Time of the plots of use"
        options=${SPANS.map(({ name, title }) => [name, name, title])}
        value=${span.name}
        onChange=${(name: string) => setSpan(SPANS.find((one) => one.name === name) ?? FIRST_SPAN)}
      />
    </div>
    <${Trouble} answer=${{ problem, ask }} />
    <div class=${isBusy ? 'plots plots-busy' : 'plots'} aria-busy=${isBusy}>
      ${plots.map(
        ({ key, props }) => html`<${Plot} key=${key} ...${props} onEnlarge=${() => setEnlarged(key)} />`,
      )}
    </div>
    <p class="note">
      Times are in the time zone of this browser, ${timeZone}. ${dayZone && `Days are the host’s, of ${dayZone}. `}A gap is a time
      without measurements.
    </p>
    ${
      large &&
      html`<${Dialog} title=${large.props.title} onClose=${() => setEnlarged(undefined)}>
        <${Plot} ...${large.props} isLarge=${true} />
      </${Dialog}>`
    }
  </section>`;
}

type Named = { readonly key: string; readonly props: PlotProps };

function usePlots(spanMs: number) {
  const api = useApi();
  const formats = useFormats();
  const { live } = useServices();
  const axis = useMemo(() => axisFormatsOf(navigator.languages), []);
  const load = async (): Promise<Seen> => {
    // The clock of the host, since that of a phone may differ.
    const to = Date.parse(live.state.status?.at ?? new Date().toISOString());
    const from = to - spanMs;
    return { from, to, history: await api.history(new Date(from).toISOString(), new Date(to).toISOString()) };
  };
  const use = useAnswer(load, [spanMs], spanMs <= 2 * DAY ? MINUTE : 10 * MINUTE);
  const earned = useAnswer(() => api.earnings(EARNING_DAYS), [], 5 * MINUTE);
  const earnings = useMemo((): PlotProps => {
    const figures = earned.value && earningsFigures(earned.value, EARNING_DAYS);
    const day = (index: number): string => figures?.days[index] ?? '';
    return {
      title: 'Earned per day ($)',
      empty: 'Nothing was earned in the last 30 days.',
      isFailed: earned.problem !== undefined && figures === undefined,
      plotted: figures && {
        figures,
        kind: 'bars',
        from: 0,
        to: 0,
        top: 0,
        tickX: (index) => (day(index) === '' ? '' : axis.dateTick(day(index))),
        tickY: axis.dollars,
      },
      when: (index) => axis.date(day(index)),
      value: (value) => formats.money(value ?? 0),
      total: (index) => formats.money(figures ? totalAt(figures, index) : 0),
    };
  }, [earned.value, earned.problem]);
  const usage = useMemo(
    () =>
      FIELDS.map(({ factor, field, read, title, top }): Named => {
        const figures = use.value && usageFigures(use.value.history, field, factor);
        const write = (value: number | null): string => read(formats, value);
        const props: PlotProps = {
          title,
          isFailed: use.problem !== undefined && figures === undefined,
          empty: 'Nothing was measured in this time.',
          plotted: figures &&
            use.value && {
              figures,
              kind: 'lines',
              from: use.value.from,
              to: use.value.to,
              top,
              tickX: axis.tick,
              tickY: (value) => (field === 'memoryUsedMiB' ? `${axis.number(value)} GiB` : write(value)),
            },
          when: (index) => axis.moment(figures?.x[index] ?? 0),
          value: write,
        };
        return { key: field, props };
      }),
    [use.value, use.problem],
  );
  return {
    plots: [{ key: 'earnings', props: earnings }, ...usage],
    problem: use.problem ?? earned.problem,
    ask: () => {
      use.ask();
      earned.ask();
    },
    timeZone: axis.timeZone,
    isBusy: use.isBusy && use.value !== undefined,
    dayZone: visible(earned.value?.timeZone ?? ''),
  };
}

type Field = {
  readonly field: UsageField;
  readonly title: string;
  readonly factor?: number;
  readonly top: number;
  readonly read: (formats: ReturnType<typeof useFormats>, value: number | null) => string;
};

const FIELDS: readonly Field[] = [
  {
    field: 'utilizationPercent',
    title: 'Utilization (%)',
    top: 100,
    read: ({ percent }, value) => percent(value),
  },
  { field: 'powerW', title: 'Power (W)', top: 50, read: ({ watts }, value) => watts(value) },
  {
    field: 'temperatureC',
    title: 'Temperature (°C)',
    top: 100,
    read: ({ celsius }, value) => celsius(value),
  },
  {
    field: 'memoryUsedMiB',
    title: 'Memory used (GiB)',
    factor: 1 / 1024,
    top: 1,
    read: ({ gib }, value) => gib(value === null ? null : value * 1024),
  },
];
