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
  const { api, live, sessions } = useServices();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(link !== undefined);
  const [takesPassword, setTakesPassword] = useState(false);
  const attempt = async (act: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await act();
      onDone();
      live.start();
    } catch (thrown) {
      const failure = asApiError(thrown);
      if (!failure.isSignedOut) setError(failure);
      if (failure.takesPassword !== undefined) setTakesPassword(failure.takesPassword);
    } finally {
      setBusy(false);
    }
  };
  const signIn = (by: Way): Promise<void> => attempt(() => api.signIn(by));
  // There may be a session all the same, and if not, the refusal says whether there is a password.
  const resume = (): Promise<void> => attempt(() => api.session());
  useEffect(() => void (link === undefined ? resume() : signIn({ link })), [link]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const password = new FormData(event.currentTarget).get('password');
    if (typeof password === 'string') void signIn({ password });
  };
  return html`<main class="sign-in">
    <div class="card">
      <h1 tabindex="-1">${isBusy ? 'Signing in …' : 'Sign in'}</h1>
      <p>Run this on the host as the agent’s user or root, and open the address that it prints:</p>
      <pre><code>sharedcloud-agent page</code></pre>
      ${
        takesPassword &&
        html`<form onSubmit=${submit}>
          <label>Or the password of the page
            <input name="password" type="password" autocomplete="current-password" required />
          </label>
          <button type="submit" class="primary" disabled=${isBusy}>Sign in</button>
        </form>`
      }
      ${error !== undefined && html`<${Failure} error=${error} />`}
      ${
        (error?.isUnanswered || (error !== undefined && sessions.now !== undefined)) &&
        html`<button type="button" disabled=${isBusy} onClick=${() => void resume()}>Continue as before</button>`
      }
    </div>
  </main>`;
}
