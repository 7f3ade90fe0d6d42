/** The environment in which the packages start Node.js; their script sets the flags on its command line. */
export const AS_PACKAGED = {
  NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=512',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
} as const;
