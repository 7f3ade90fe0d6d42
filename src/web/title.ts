import { useEffect } from 'preact/hooks';
import { useFormats, useLive, useStatus } from './services.ts';

/** Keeps the title of the browser's tab: `● $1.23 today - rig`. */
export function useTitle(): void {
  const status = useStatus();
  const link = useLive((state) => state.link);
  const { money } = useFormats();
  const title =
    status === undefined || link === 'signed-out'
      ? 'sharedcloud-agent'
      : `${link === 'stale' ? '?' : MARKS[status.state]} ${money(status.today.earned)} today - ${status.host}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

const MARKS = {
  starting: '○',
  blocked: '✕',
  held: '‖',
  working: '●',
  waiting: '○',
  draining: '‖',
  evicting: '‖',
  stopped: '✕',
} as const;
