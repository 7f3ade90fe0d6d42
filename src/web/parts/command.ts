import { useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api-error.ts';
import { useServices } from '../services.ts';

/** A command that is given to the agent, of which only what the agent confirms is shown. */
export type Command = {
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
  /** Gives it; resolves to whether it was carried out, once the status after it is there. */
  readonly give: (act: () => Promise<unknown>) => Promise<boolean>;
  readonly clear: () => void;
};

export function useCommand(): Command {
  const { live } = useServices();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const give = async (act: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(undefined);
    try {
      await act();
      await live.refresh();
      return true;
    } catch (thrown) {
      setError(asApiError(thrown));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error, give, clear: () => setError(undefined) };
}

/** What a command is about: GPUs by their uuids, or everything. */
export type Subject = {
  /** Empty: everything. */
  readonly targets: readonly string[];
  /** `GPU 0`, `everything`. */
  readonly name: string;
};
