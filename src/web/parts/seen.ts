import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Whether an element is in view, or nearly: `margin` such as `600px`. */
export function useSeen<Kind extends Element>(margin = '0px'): readonly [RefObject<Kind | null>, boolean] {
  const ref = useRef<Kind | null>(null);
  const [isSeen, setSeen] = useState(false);
  const { current } = ref;
  useEffect(() => {
    if (ref.current === null) return undefined;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: margin,
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [current, margin]);
  return [ref, isSeen];
}
