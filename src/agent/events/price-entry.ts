import { readablePrice } from '../../lib/readable.ts';
import { changeText, HOLD_REASONS } from '../../pricing/strategy/strategy.ts';
import type { PriceEvent } from './events.ts';
import type { LogEntry } from './log-entry.ts';

/** The log line of what happens to asks. Pure. */
export function priceEntry(event: PriceEvent): LogEntry {
  switch (event.kind) {
    case 'ask-changed': {
      const { at: _at, kind: _kind, ...fields } = event;
      const message = `ask changed to ${readablePrice(event.ask)}: ${changeText(event.reason)}`;
      return { level: 'info', fields, message };
    }
    case 'ask-strategy-held': {
      const { hold, offer } = event;
      if (hold === undefined) return { level: 'info', fields: { offer }, message: 'asks may change again' };
      // The owner's own switch is logged by itself.
      const level = hold === 'frozen' ? 'debug' : 'warn';
      return { level, fields: { offer, hold }, message: `ask stays as it is: ${HOLD_REASONS[hold]}` };
    }
    case 'asks-frozen': {
      const { by, from, note } = event;
      return { level: 'info', fields: { by, from, note }, message: `asks frozen by ${by}` };
    }
    case 'asks-unfrozen': {
      const { by, from } = event;
      return { level: 'info', fields: { by, from }, message: `asks unfrozen by ${by}` };
    }
    case 'floor-above-max': {
      const { floor, max, offer } = event;
      const message = `no jobs: one costs ${readablePrice(floor)} a minute, and --ask-max is ${readablePrice(max)}`;
      return { level: 'warn', fields: { offer, floor, max, hint: 'raise --ask-max' }, message };
    }
  }
}
