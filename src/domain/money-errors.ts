/** The errors of asks, their history and what they earn; a part of `ERROR_KINDS`. */
export const MONEY_ERROR_KINDS = {
  ELECTRICITY_PRICES_FAILED: {
    exit: 1,
    what: 'prices of electricity could not be read',
    hint: 'check --electricity-price-url or --electricity-price-command; see docs/electricity.md',
  },
  BACKTEST_TOO_LITTLE: {
    exit: 1,
    what: 'too little is known of the market or of own jobs to say what another ask would have earned',
    hint: 'let the agent run with its market history on, and ask again later, or for more days',
  },
  BACKTEST_UNCALIBRATED: {
    exit: 1,
    what: 'the replay at the ask in force does not earn what the ledger says, so it says nothing about other asks',
    hint: 'ask for fewer days, without those in which the agent was replaced, its clock was set or its journal restored',
  },
} as const;
