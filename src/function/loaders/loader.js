// Runs a job inside its container as node -e "$CODE", where CODE is this text. Runs on Node.js 8 and later.
// ../frames.ts reads what it writes.
(function loader(load, globals) {
  'use strict';
  const fs = load('fs');
  const path = load('path');
  const util = load('util');
  const vm = load('vm');

  // Bytes of a result per record: in base64 a record is shorter than PIPE_BUF (4096), so it is written atomically.
  const RECORD = 3000;
  // Milliseconds for timers and sockets after the handler has returned.
  const GRACE = 2000;
  // Saved, because the function may change these objects.
  const writeSync = fs.writeSync;
  const exit = process.exit.bind(process);
  const setTimer = setTimeout;
  const stringify = JSON.stringify;

  const folder = process.env.SHAREDCLOUD_INPUT;
  const about = JSON.parse(fs.readFileSync(path.join(folder, 'job.json'), 'utf8'));
  const codePath = path.join(folder, about.code);
  const out = ownStdout();
  enterWritableDirectory();
  // loading -> running -> over (the result is written, or there is none)
  let stage = 'loading';

  /** An image without a working directory starts in /, where a job cannot write. */
  function enterWritableDirectory() {
    if (process.cwd() !== '/' || !process.env.HOME) return;
    try {
      process.chdir(process.env.HOME);
    } catch (failure) {
      // The job runs in / then.
    }
  }

  /** A copy of stdout that the function cannot close by number, if stdout is a pipe. */
  function ownStdout() {
    try {
      if (fs.fstatSync(1).isFIFO()) return fs.openSync('/proc/self/fd/1', 'a');
    } catch (failure) {
      // Without access to /proc stdout itself is used.
    }
    return 1;
  }

  /** Passes a stream of the process to `prepare` at its first use: opening one takes longer than many jobs run. */
  function whenUsed(name, prepare) {
    const property = Object.getOwnPropertyDescriptor(process, name);
    const opening = {
      configurable: true,
      enumerable: true,
      get() {
        Object.defineProperty(process, name, property);
        prepare(process[name]);
        return process[name];
      },
      set: property.set,
    };
    Object.defineProperty(process, name, opening);
  }

  function keepOutput(stream) {
    // Blocking writes, so that no output is lost at the exit.
    if (stream._handle && stream._handle.setBlocking) stream._handle.setBlocking(true);
    // A closed reader must not end the job.
    stream.on('error', () => {});
  }

  function writeAll(fd, text) {
    let data = Buffer.from(text);
    while (data.length > 0) {
      try {
        data = data.slice(writeSync(fd, data, 0, data.length));
      } catch (failure) {
        if (failure.code !== 'EAGAIN') throw failure;
        // The pipe is full; wait a millisecond.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }

  function reportError(text) {
    try {
      writeAll(2, text + '\n');
    } catch (failure) {
      // stderr has no reader; the exit code remains.
    }
  }

  function fail(text) {
    stage = 'over';
    reportError(text);
    exit(1);
  }

  /** Writes the result in records. */
  function send(text) {
    stage = 'over';
    const result = Buffer.from(text);
    if (result.length > about.resultLimit) {
      return fail('the result has ' + result.length + ' bytes; at most ' + about.resultLimit + ' are taken');
    }
    let count = 0;
    for (let at = 0; at < result.length; at += RECORD) {
      record(count, result.slice(at, at + RECORD).toString('base64'));
      count += 1;
    }
    record('end', count);
  }

  function record(name, body) {
    writeAll(out, '\x1e' + about.nonce + ':' + name + ':' + body + '\x1e\n');
  }

  function asText(value) {
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    if (typeof value === 'function' || typeof value === 'symbol') {
      return fail('the handler returned a ' + typeof value + ', which is no JSON');
    }
    let text;
    try {
      text = stringify(value, (key, item) => (typeof item === 'bigint' ? String(item) : item));
    } catch (failure) {
      return fail('what the handler returned cannot be written as JSON: ' + shown(failure));
    }
    // A BigInt is returned as its digits; a value whose toJSON returns undefined as nothing.
    if (typeof value === 'bigint') return String(value);
    return text === undefined ? '' : text;
  }

  function shown(thrown) {
    try {
      const stack = thrown && thrown.stack;
      // Cut off at the first frame of this loader.
      if (typeof stack === 'string') return stack.replace(/\n    at [^\n]*\[eval\][^]*$/, '');
      return 'thrown: ' + util.inspect(thrown);
    } catch (failure) {
      return 'something was thrown that cannot be shown';
    }
  }

  /** Decodes the event's JSON of ../node-event.ts, where an object names a type. */
  function decode(value) {
    if (Array.isArray(value)) return value.map(decode);
    if (value === null || typeof value !== 'object') return value;
    if (value.float !== undefined) return Number(value.float);
    if (value.int !== undefined) return typeof BigInt === 'function' ? BigInt(value.int) : Number(value.int);
    if (value.bytes !== undefined) return Buffer.from(value.bytes, 'base64');
    if (value.complex !== undefined) {
      return { real: decode(value.complex[0]), imag: decode(value.complex[1]) };
    }
    const object = {};
    for (const entry of value.dict) {
      // Defined instead of assigned, because a key may be `__proto__`.
      Object.defineProperty(object, entry[0], {
        value: decode(entry[1]),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return object;
  }

  /** Executes the code as `node -e` does and returns its exported or declared handler. */
  function loadHandler() {
    const source = fs
      .readFileSync(codePath, 'utf8')
      .replace(/^\uFEFF/, '')
      .replace(/^#!.*/, '');
    globals.__filename = codePath;
    globals.__dirname = folder;
    const dynamicImport = vm.constants && vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const options = { filename: codePath };
    if (dynamicImport !== undefined) options.importModuleDynamically = dynamicImport;
    vm.runInThisContext(source, options);
    const exported = globals.module && globals.module.exports;
    if (typeof exported === 'function') return exported;
    if (exported && exported.handler !== undefined) return exported.handler;
    return vm.runInThisContext('typeof handler === "undefined" ? undefined : handler');
  }

  function returned(value) {
    if (stage !== 'running') return;
    const text = asText(value);
    if (stage !== 'running') return;
    send(text);
    // Ends what still runs after a while. The timer does not keep the process alive.
    setTimer(() => exit(), GRACE).unref();
  }

  function run() {
    whenUsed('stdout', keepOutput);
    whenUsed('stderr', keepOutput);
    let exiting = false;
    process.exit = function (code) {
      exiting = true;
      return exit(code);
    };
    process.on('exit', (code) => {
      if (stage !== 'running') return;
      if (exiting && !code) send('');
      else if (!exiting && !code) {
        reportError('the handler never finished: what it awaits cannot come any more');
        process.exitCode = 1;
      }
    });
    process.on('unhandledRejection', (reason) => {
      if (process.listenerCount('unhandledRejection') === 1) fail(shown(reason));
    });

    const event = decode(JSON.parse(fs.readFileSync(path.join(folder, about.event), 'utf8')));
    let handler;
    try {
      handler = loadHandler();
    } catch (failure) {
      return fail(shown(failure));
    }
    if (handler === undefined) return fail('the function has no handler: it must define handler(event)');
    if (typeof handler !== 'function')
      return fail("the function's handler is no function: " + util.inspect(handler));
    stage = 'running';
    let value;
    try {
      value = handler(event);
      if (value === null || value === undefined || typeof value.then !== 'function') return returned(value);
    } catch (failure) {
      return fail(shown(failure));
    }
    Promise.resolve(value).then(returned, (failure) => fail(shown(failure)));
  }

  run();
})(require, global);
