/** Where a job sees its own files, read-only, inside its container. A runtime without containers sets `SHAREDCLOUD_INPUT` to the real directory instead. */
export const JOB_INPUT_PATH = '/sharedcloud';
