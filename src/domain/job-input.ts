/**
 * The read-only directory with a job's files inside its container. A runtime without containers sets
 * `SHAREDCLOUD_INPUT` to the real directory instead.
 */
export const JOB_INPUT_PATH = '/sharedcloud';

/** The file in that directory with the text of a Python function. Test containers copy it to their output. */
export const PYTHON_CODE_FILE = 'sharedcloud_function.py';
