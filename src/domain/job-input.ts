/**
 * The read-only directory with a job's files inside its container. A runtime without containers sets
 * `SHAREDCLOUD_INPUT` to the real directory instead.
 */
export const JOB_INPUT_PATH = '/sharedcloud';
