import { useEffect, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api-error.ts';
import { type Drawn, html } from '../html.ts';
import { Failure } from '../parts/failure.ts';
import { useServices } from '../services.ts';

type Way = { readonly link: string } | { readonly password: string };

/** Begins a session: by a one-time link at once, else by a password, where the agent has one. */
export function SignIn({
  link,
  onDone,
}: {
  readonly link: string | undefined;
  readonly onDone: () => void;
}): Drawn {
  const { api, live } = useServices();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(link !== undefined);
  const signIn = async (by: Way): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await api.signIn(by);
      onDone();
      live.start();
    } catch (thrown) {
      setError(asApiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (link !== undefined) void signIn({ link });
  }, [link]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const password = new FormData(event.currentTarget).get('password');
    if (typeof password === 'string') void signIn({ password });
  };
  return html`<main class="sign-in">
    <h1>Sign in</h1>
    <p>Run this on the host, and open the address that it prints:</p>
    <p><code>sharedcloud-agent page</code></p>
    <form onSubmit=${submit}>
      <label>Or the page’s password <input name="password" type="password" autocomplete="current-password" required /></label>
      <button type="submit" disabled=${isBusy}>Sign in</button>
    </form>
    ${error !== undefined && html`<${Failure} error=${error} />`}
  </main>`;
}
