import { describe, expect, test } from 'vitest';
import { DEFAULT_CATALOGUE } from '../../../src/embedded/broker/catalogue-data.ts';
import { BUYER_TOKEN, openDesk } from '../../support/broker/desk.ts';
import { aList, aText, textWith } from '../../support/broker/like.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';

const TIME = '02-01-2026 03:04:05';
const NOBODY = '00000000-0000-4000-8000-000000000000';
const clock = new ManualClock();
const titanV = DEFAULT_CATALOGUE.find(({ codename }) => codename === 'titanv');
const REQUIRED = ['This field is required.'];

describe('authentication', () => {
  test.each([
    ['no token', null],
    ['a wrong token', 'nonsense'],
    ['two words', 'provider-token nonsense'],
  ])('with %s is 401', async (_name, token) => {
    await using desk = await openDesk();
    const answer = await desk.call('GET', '/runs', { token });
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({ detail: 'Invalid token.' });
  });

  test('by name and password returns the token, or 400', async () => {
    await using desk = await openDesk();
    const login = (password: string) =>
      desk.call('POST', '/api-token-auth/', { token: null, json: { username: 'buyer', password } });
    expect(await login('sandbox')).toMatchObject({ status: 200, body: { token: BUYER_TOKEN } });
    expect(await login('guess')).toMatchObject({
      status: 400,
      body: { non_field_errors: ['Unable to log in with provided credentials.'] },
    });
    expect(await desk.call('POST', '/api-token-auth/', { token: null, json: {} })).toMatchObject({
      status: 400,
      body: { username: REQUIRED, password: REQUIRED },
    });
  });
});

describe('every resource', () => {
  test.each(['/runs/', '/functions/', '/images/', '/gpus/', '/offers/', '/jobs/', '/instances/'])(
    '%s is listed, with and without the slash, each item with the time of now',
    async (path) => {
      await using desk = await openDesk({ clock });
      desk.addRun();
      desk.store.offers.setAvailable(desk.addInstance(), true);
      const slashed = await desk.call('GET', path);
      expect(slashed.status).toBe(200);
      expect((await desk.call('GET', path.slice(0, -1))).body).toEqual(slashed.body);
      expect(slashed.body).toEqual(
        expect.arrayContaining([expect.objectContaining({ current_server_time: TIME })]),
      );
    },
  );

  test.each([
    ['GET', '/runs/'],
    ['DELETE', '/runs/'],
    ['GET', '/functions/'],
    ['PUT', '/functions/'],
    ['PATCH', '/functions/'],
    ['DELETE', '/functions/'],
    ['GET', '/images/'],
    ['GET', '/gpus/'],
    ['GET', '/jobs/'],
    ['PATCH', '/jobs/'],
    ['GET', '/instances/'],
    ['PUT', '/instances/'],
    ['PATCH', '/instances/'],
    ['DELETE', '/instances/'],
  ])('%s of an unknown resource is 404: %s', async (method, path) => {
    await using desk = await openDesk();
    const json = method === 'GET' || method === 'DELETE' ? undefined : {};
    for (const slash of ['', '/']) {
      const answer = await desk.call(method, `${path}${NOBODY}${slash}`, { json });
      expect(answer).toMatchObject({ status: 404, body: { detail: 'Not found.' } });
    }
  });

  test('an unknown path is 404', async () => {
    await using desk = await openDesk();
    expect(await desk.call('GET', '/nonsense')).toMatchObject({
      status: 404,
      body: { detail: 'Not found.' },
    });
  });
});

describe('runs', () => {
  test.each(['json', 'form'] as const)('are created by POST as %s, read and deleted', async (kind) => {
    await using desk = await openDesk({ clock });
    const fields = {
      function: desk.fn.gpu,
      parameters: '((512, 0.2, "a,b"), (1,))',
      bid_price: '0.25',
      base_gpu: titanV?.uuid ?? '',
    };
    const made = await desk.call('POST', '/runs', { [kind]: fields });
    const { run } = { run: desk.store.market.runs.all()[0]?.uuid };
    expect(made).toMatchObject({
      status: 200,
      body: {
        uuid: run,
        function: desk.fn.gpu,
        function_name: 'mnist',
        parameters: fields.parameters,
        num_jobs: 2,
        bid_price: 0.25,
        base_gpu: titanV?.uuid,
        base_gpu_name: 'Nvidia Titan V 12GB',
        created_at: TIME,
        current_server_time: TIME,
      },
    });
    expect((await desk.call('GET', `/runs/${run}`)).body).toEqual(made.body);
    expect((await desk.call('GET', '/runs')).body).toEqual([made.body]);
    const jobs = await desk.call('GET', `/jobs/?run=${run}`);
    expect(jobs.body).toMatchObject([{ arguments: '(512, 0.2, "a,b")' }, { arguments: '(1,)' }]);
    expect(await desk.call('DELETE', `/runs/${run}`)).toMatchObject({ status: 200, body: {} });
    expect((await desk.call('GET', `/runs/${run}`)).status).toBe(404);
    expect((await desk.call('GET', `/jobs/?run=${run}`)).body).toEqual([]);
  });

  test('without a GPU have the GPU name n/a, also from a form', async () => {
    await using desk = await openDesk();
    const fields = { function: desk.fn.cpu, parameters: '((1,),)', bid_price: '1', base_gpu: '' };
    const made = await desk.call('POST', '/runs', { form: fields });
    expect(made.body).toMatchObject({ base_gpu: null, base_gpu_name: 'n/a' });
  });

  test.each([
    ['an empty body', {}, { function: REQUIRED, parameters: REQUIRED, bid_price: REQUIRED }],
    ['a list', [], { non_field_errors: ['Invalid data. Expected a dictionary.'] }],
    ['no number', { bid_price: 'abc' }, { bid_price: ['A valid number is required.'] }],
    ['no price', { bid_price: 0 }, { bid_price: ['Ensure this value is greater than 0.'] }],
    ['null', { bid_price: null }, { bid_price: ['This field may not be null.'] }],
    ['no literal', { parameters: 'import os' }, { parameters: [textWith('literal')] }],
    ['no tuple of tuples', { parameters: '(1, 2)' }, { parameters: [aText] }],
    ['no jobs', { parameters: '()' }, { parameters: ['There must be at least one tuple of arguments.'] }],
    ['no function', { function: NOBODY }, { function: [`Invalid pk "${NOBODY}" - object does not exist.`] }],
    ['no GPU', { base_gpu: NOBODY }, { base_gpu: [`Invalid pk "${NOBODY}" - object does not exist.`] }],
  ])('POST with %s: 400 that names the field', async (_name, change, messages) => {
    await using desk = await openDesk();
    const good = { function: desk.fn.cpu, parameters: '((1,),)', bid_price: 0.5 };
    const whole = Array.isArray(change) || Object.keys(change).length === 0;
    const answer = await desk.call('POST', '/runs', { json: whole ? change : { ...good, ...change } });
    expect(answer).toEqual(expect.objectContaining({ status: 400, body: messages }));
    expect(desk.store.market.runs.size).toBe(0);
  });

  test('are 400 for invalid JSON and 415 for another type', async () => {
    await using desk = await openDesk();
    const post = (type: string) =>
      fetch(`${desk.url}/api/v1/runs`, {
        method: 'POST',
        headers: { authorization: 'Token provider-token', 'content-type': type },
        body: '{"a": ',
      });
    const broken = await post('application/json');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toEqual({ detail: textWith(/^JSON parse error - /) });
    expect((await post('text/csv')).status).toBe(415);
  });

  test('cannot be deleted while a job is in progress', async () => {
    await using desk = await openDesk();
    const { run, job } = desk.addRun();
    await desk.call('PATCH', `/jobs/${job}/`, { json: { status: 2, instance: desk.addInstance() } });
    expect(await desk.call('DELETE', `/runs/${run}`)).toMatchObject({
      status: 400,
      body: { non_field_errors: [textWith('Please wait until they are finished')] },
    });
    expect((await desk.call('GET', `/runs/${run}`)).status).toBe(200);
  });
});

describe('functions', () => {
  test('are created, read, changed and deleted', async () => {
    await using desk = await openDesk({ clock });
    const made = await desk.call('POST', '/functions/', {
      json: { name: 'mine', code: 'x', image: desk.image.gpu, nonsense: 1 },
    });
    const uuid = desk.store.functions.all().at(-1)?.uuid;
    const expected = {
      uuid,
      name: 'mine',
      code: 'x',
      runtime: 'python36',
      image: desk.image.gpu,
      registry_path: 'sharedcloud/tensorflow-gpu-python36:1.2',
      num_runs: 0,
      created_at: TIME,
      updated_at: TIME,
      current_server_time: TIME,
    };
    expect(made.body).toEqual(expected);
    const patched = await desk.call('PATCH', `/functions/${uuid}/`, { json: { code: 'y' } });
    expect(patched.body).toEqual({ ...expected, code: 'y' });
    const put = { name: 'yours', code: 'z', image: desk.image.cpu, runtime: 'python37' };
    expect((await desk.call('PUT', `/functions/${uuid}/`, { json: put })).body).toMatchObject(put);
    expect((await desk.call('PUT', `/functions/${uuid}/`, { json: {} })).status).toBe(400);
    expect((await desk.call('PATCH', `/functions/${uuid}/`, { json: { image: NOBODY } })).status).toBe(400);
    desk.addRun({ function: uuid ?? '' });
    expect((await desk.call('GET', `/functions/${uuid}/`)).body).toMatchObject({ ...put, num_runs: 1 });
    expect(await desk.call('DELETE', `/functions/${uuid}/`)).toMatchObject({ status: 200, body: {} });
    expect((await desk.call('GET', `/functions/${uuid}/`)).status).toBe(404);
  });
});

describe('instances', () => {
  const terms = { name: 'box', type: 2, gpu: titanV?.uuid, ask_price: 0.2, max_num_parallel_jobs: 4 };

  test('are created, read, changed, started, stopped and deleted', async () => {
    await using desk = await openDesk({ clock });
    const made = await desk.call('POST', '/instances/', { json: terms });
    const uuid = desk.store.instances.all()[0]?.uuid;
    const path = `/instances/${uuid}`;
    const expected = {
      uuid,
      ...terms,
      status: 1,
      downloaded_images: [],
      num_running_jobs: 0,
      last_connection: null,
      current_server_time: TIME,
    };
    expect(made).toMatchObject({ status: 200, body: expected });
    expect((await desk.call('GET', `${path}/`)).body).toEqual(expected);
    expect((await desk.call('GET', '/offers/')).body).toEqual([]);

    expect((await desk.call('PATCH', `${path}/start/`)).body).toEqual({
      ...expected,
      status: 2,
      last_connection: TIME,
    });
    expect((await desk.call('GET', '/offers/')).body).toMatchObject([
      {
        name: 'box',
        type: 2,
        gpu_name: titanV?.name,
        cuda_cores: 5120,
        ask_price: 0.2,
        last_connection: TIME,
      },
    ]);
    expect((await desk.call('GET', `/gpus/${terms.gpu}/`)).body).toMatchObject({
      codename: 'titanv',
      cuda_cores: 5120,
      is_available: true,
    });
    expect((await desk.call('PATCH', `${path}/stop`)).body).toMatchObject({ status: 1 });

    expect((await desk.call('PATCH', path, { form: { ask_price: '0.3' } })).body).toMatchObject({
      ...terms,
      ask_price: 0.3,
    });
    const cpu = { name: 'cpu', type: 1, gpu: null, ask_price: 1, max_num_parallel_jobs: 1 };
    expect((await desk.call('PUT', path, { json: cpu })).body).toMatchObject(cpu);
    expect(await desk.call('DELETE', path)).toMatchObject({ status: 200, body: {} });
    expect((await desk.call('GET', path)).status).toBe(404);
  });

  test.each([
    [
      'nothing',
      null,
      { name: REQUIRED, type: REQUIRED, ask_price: REQUIRED, max_num_parallel_jobs: REQUIRED },
    ],
    ['a type of 3', { type: 3 }, { type: ['"3" is not a valid choice.'] }],
    ['no GPU', { gpu: null }, { gpu: ['A GPU instance needs a GPU.'] }],
    ['a GPU for CPU jobs', { type: 1 }, { gpu: ['A CPU instance has no GPU.'] }],
    ['an unknown GPU', { gpu: NOBODY }, { gpu: [`Invalid pk "${NOBODY}" - object does not exist.`] }],
    ['half a job', { max_num_parallel_jobs: 0.5 }, { max_num_parallel_jobs: aList }],
    ['a negative price', { ask_price: -1 }, { ask_price: ['Ensure this value is greater than 0.'] }],
  ])('POST with %s: 400', async (_name, change, messages) => {
    await using desk = await openDesk();
    const json = change === null ? {} : { ...terms, ...change };
    const answer = await desk.call('POST', '/instances/', { json });
    expect(answer).toEqual(expect.objectContaining({ status: 400, body: messages }));
  });

  test('have images that are added, deleted and listed by instance', async () => {
    await using desk = await openDesk();
    const instance = desk.addInstance();
    const image_registry_path = 'sharedcloud/tensorflow-gpu-python36:1.2';
    const act = (verb: string, json: unknown) =>
      desk.call('PATCH', `/instances/${instance}/${verb}/`, { json });
    for (let twice = 0; twice < 2; twice++) {
      expect(await act('add-image', { image_registry_path })).toMatchObject({
        status: 200,
        body: { downloaded_images: [image_registry_path] },
      });
    }
    expect((await desk.call('GET', `/images/?instance=${instance}`)).body).toMatchObject([
      {
        uuid: desk.image.gpu,
        registry_path: image_registry_path,
        requires_gpu: true,
        runtime: 'python36',
        name: 'tensorflow-gpu-python36',
        tag: '1.2',
        description: 'TensorFlow',
        num_installations: 1,
      },
    ]);
    expect((await desk.call('GET', `/images/${desk.image.cpu}/`)).body).toMatchObject({
      name: 'python36',
      tag: 'latest',
      num_installations: 0,
    });
    expect((await act('delete-image', { image_registry_path })).body).toMatchObject({
      downloaded_images: [],
    });
    expect(await act('add-image', {})).toMatchObject({
      status: 400,
      body: { image_registry_path: REQUIRED },
    });
    expect((await act('add-image', { image_registry_path: 'nobody/knows' })).status).toBe(400);
  });

  test('cannot be deleted while they have a job', async () => {
    await using desk = await openDesk();
    const instance = desk.addInstance();
    await desk.call('PATCH', `/jobs/${desk.addRun().job}/`, { json: { status: 2, instance } });
    expect((await desk.call('DELETE', `/instances/${instance}/`)).status).toBe(400);
    expect((await desk.call('GET', `/instances/${instance}/`)).body).toMatchObject({ num_running_jobs: 1 });
  });
});
