/** What `login` has done, as its JSON. */
export type LoggedIn = {
  /** The name of the account; null: the broker does not say. */
  readonly account: string | null;
  readonly broker: string;
  readonly tokenFile: string;
  /** Whether another token was there. */
  readonly replaced: boolean;
};

/** Where the token is and what to do next; `isService`: it is the file that systemd gives to the service. */
export function loginText({ account, broker, tokenFile }: LoggedIn, isService: boolean): string {
  const who = account === null ? 'signed in' : `signed in as ${account}`;
  const next = isService
    ? [
        'next: sudo sharedcloud-agent setup',
        'a service that runs already takes it with: sudo systemctl restart sharedcloud-agent (interrupts no job)',
      ]
    : [
        'an agent that runs already takes it at once where the broker refused its old token, else with SIGHUP',
      ];
  return `${[`${who} at ${broker}`, `token written to ${tokenFile}`, ...next].join('\n')}\n`;
}
