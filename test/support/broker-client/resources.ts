/** A run as the broker sends it, with some fields changed. */
export function runResource(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    uuid: '3f8c2f52-0000-4000-8000-000000000001',
    function: '3f8c2f52-0000-4000-8000-0000000000f1',
    function_name: 'hello',
    base_gpu: null,
    base_gpu_name: 'n/a',
    parameters: '((512, 0.2),)',
    num_jobs: 1,
    bid_price: 0.01,
    created_at: '05-03-2026 10:20:30',
    current_server_time: '05-03-2026 10:21:00',
    ...changes,
  };
}

/** A job as the broker sends it, with some fields changed. */
export function jobResource(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    uuid: 'job-1',
    run: 'run-1',
    function_name: 'hello',
    incremental_id: 1,
    arguments: '(512, 0.2)',
    status: 2,
    instance: 'inst-1',
    created_at: '05-03-2026 10:20:30',
    assigned_at: '05-03-2026 10:20:40',
    started_at: null,
    finished_at: null,
    duration: null,
    cost: null,
    build_logs: '',
    stdout: '',
    stderr: '',
    result: '',
    current_server_time: '05-03-2026 10:21:00',
    ...changes,
  };
}

/** An instance as the broker sends it, with some fields changed. */
export function instanceResource(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    uuid: 'inst-1',
    name: 'rig',
    type: 2,
    gpu: 'gpu-1',
    ask_price: '0.0100',
    max_num_parallel_jobs: 2,
    status: 2,
    downloaded_images: ['sharedcloud/python36:latest'],
    num_running_jobs: 0,
    last_connection: '05-03-2026 10:21:00',
    current_server_time: '05-03-2026 10:21:00',
    ...changes,
  };
}
