# Runs a job inside its container as python -c "$CODE", where CODE is this text. Runs on Python 2.7 and 3.0 and later.
# ../frames.ts reads what it writes. Imports here only what the interpreter has at hand: other modules take longer to
# import than most jobs run.
import binascii
import errno
import io
import os
import sys
import time
try:
    from _thread import start_new_thread
except ImportError:
    from thread import start_new_thread

PY2 = sys.version_info[0] == 2
TEXT = type(b''.decode('ascii'))
MODULE = 'sharedcloud_function'
# Bytes of a result per record: in base64 a record is shorter than PIPE_BUF (4096), so it is written atomically.
RECORD = 3000
# Seconds for threads and exit handlers after the handler has returned.
GRACE = 2.0
# Saved, because the function may change these modules.
leave, write, close, own_pid = os._exit, os.write, os.close, os.getpid
in_base64, sleep = binascii.b2a_base64, time.sleep


class Failure(Exception):
    """An error that is reported in one sentence, without a traceback."""


def private_copy(fd):
    """A copy of fd that the function cannot close by number and that its processes do not inherit."""
    try:
        copy = os.dup(fd)
    except OSError:
        return None
    if sys.version_info < (3, 4):
        import fcntl
        fcntl.fcntl(copy, fcntl.F_SETFD, fcntl.fcntl(copy, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
    return copy


def write_all(fd, data):
    while data:
        try:
            data = data[write(fd, data):]
        except (OSError, IOError) as failure:
            if failure.errno == errno.EAGAIN:
                sleep(0.001)
            elif failure.errno != errno.EINTR:
                raise


def line_by_line(stream):
    """Sets UTF-8 for any locale, and line buffering, so that a job that is killed keeps what it printed."""
    if PY2 or stream is None:
        return stream  # Python 2 reads PYTHONIOENCODING and PYTHONUNBUFFERED.
    if hasattr(stream, 'reconfigure'):
        stream.reconfigure(encoding='utf-8', errors='backslashreplace', line_buffering=True)
        return stream
    return io.TextIOWrapper(stream.buffer, 'utf-8', 'backslashreplace', '\n', True)


def utf8(text):
    if isinstance(text, bytes):
        return text
    return text.encode('utf-8') if PY2 else text.encode('utf-8', 'backslashreplace')


class Job(object):
    def __init__(self, folder):
        self.pid = own_pid()
        self.out, self.err = private_copy(1), private_copy(2)
        # The first ones are kept, because collecting them would close what they wrap.
        self.streams = [sys.stdout, sys.stderr]
        sys.stdout = sys.__stdout__ = line_by_line(sys.stdout)
        sys.stderr = sys.__stderr__ = line_by_line(sys.stderr)
        self.streams += [sys.stdout, sys.stderr]
        with io.open(os.path.join(folder, 'job.json'), encoding='utf-8') as file:
            # The agent's own JSON of strings and numbers, which is Python too.
            about = eval(file.read(), {})
        self.nonce, self.limit = about['nonce'], about['resultLimit']
        self.code, self.event = (os.path.join(folder, about[name]) for name in ('code', 'event'))

    def flush(self):
        for stream in [sys.stdout, sys.stderr] + self.streams:
            try:
                stream.flush()
            except Exception:
                pass  # Closed, replaced or broken by the function.

    def free_descriptor(self):
        """Modules are imported from files, which takes a descriptor that the function may have used up."""
        if self.out is not None:
            close(self.out)
            self.out = None

    def report_error(self, text):
        self.flush()
        try:
            write_all(2 if self.err is None else self.err, utf8(text))
        except (OSError, IOError):
            pass  # stderr has no reader; the exit code remains.

    def send(self, result):
        """Writes the result in records. Only in the first process: a fork must not send a second one."""
        if own_pid() != self.pid:
            return
        if len(result) > self.limit:
            raise Failure('the result has %d bytes; at most %d are taken' % (len(result), self.limit))
        starts = range(0, len(result), RECORD)
        bodies = [(str(number), in_base64(result[at:at + RECORD]).decode('ascii').strip()) for number, at in enumerate(starts)]
        for name, body in bodies + [('end', str(len(bodies)))]:
            record = '\x1e%s:%s:%s\x1e\n' % (self.nonce, name, body)
            write_all(1 if self.out is None else self.out, record.encode('ascii'))


def read_source(path):
    """The code as text: UTF-8, because the agent wrote it so, whatever its coding line says."""
    with io.open(path, 'rb') as file:
        text = file.read().decode('utf-8').replace('\r\n', '\n').replace('\r', '\n')
    text = text[1:] if text[:1] == b'\xef\xbb\xbf'.decode('utf-8') else text
    if not PY2 and 'coding' not in ''.join(text.split('\n', 2)[:2]):
        return text  # Tracebacks read the file themselves.
    import linecache
    import re
    lines = text.splitlines(True)
    # For tracebacks; without a modification time linecache does not read the file again.
    linecache.cache[path] = (len(text), None, [utf8(line) for line in lines] if PY2 else lines, path)
    if PY2:
        # Python 2 rejects a coding line in unicode source, so it is made a comment.
        for number, line in enumerate(lines[:2]):
            lines[number] = re.sub(r'^([ \t\f]*#.*?codin)g([:=])', r'\1_\2', line)
    return TEXT().join(lines)


def load(path):
    """Executes the code as a module, so that a block under `if __name__ == '__main__'` does not run."""
    module = type(sys)(MODULE)
    module.__file__ = path
    module.__builtins__ = __builtins__
    # For pickle, and for processes that multiprocessing starts.
    sys.modules[MODULE] = module
    sys.path.append(os.path.dirname(path))
    exec(compile(read_source(path), path, 'exec', 0, True), module.__dict__)
    handler = getattr(module, 'handler', None)
    if handler is None:
        raise Failure('the function has no handler: it must define handler(event)')
    if not callable(handler):
        raise Failure('the function\'s handler is no function but %r' % (handler,))
    return handler


def plain_literal(text):
    """The value of a literal of the most common kinds. Raises something for any other."""
    import _ast

    def value(node):
        # By name, because the kinds of a constant differ between versions.
        kind = type(node).__name__
        if kind == 'Tuple':
            return tuple([value(item) for item in node.elts])
        if kind == 'List':
            return [value(item) for item in node.elts]
        if kind == 'Dict':
            return dict([(value(key), value(item)) for key, item in zip(node.keys, node.values)])
        if kind in ('Constant', 'NameConstant') and node.value is not Ellipsis:
            return node.value
        if kind in ('Str', 'Bytes'):
            return node.s
        if kind == 'Num':
            return node.n
        raise ValueError(kind)

    return value(compile(text, '<unknown>', 'eval', _ast.PyCF_ONLY_AST).body)


def read_event(path):
    with io.open(path, encoding='utf-8') as file:
        text = file.read().lstrip(' \t')
    try:
        return plain_literal(text)
    except Exception:
        pass  # Whatever it is, ast decides.
    import ast
    try:
        return ast.literal_eval(text)
    except Exception:
        kind, value = sys.exc_info()[:2]
        raise Failure('the arguments are no Python literal: %s: %s' % (kind.__name__, value))


def awaited(value):
    if PY2 or isinstance(value, (TEXT, bytes, int, float, list, tuple, dict, type(None))):
        return value
    # A generator that types.coroutine has marked (CO_ITERABLE_COROUTINE) is awaitable too.
    flags = getattr(getattr(value, 'gi_code', None), 'co_flags', 0)
    if not hasattr(type(value), '__await__') and not flags & 0x100:
        return value
    import asyncio
    # A future only runs on its own loop.
    loop = getattr(value, '_loop', None) or asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(value)


def as_text(value):
    if value is None:
        return b''
    if isinstance(value, TEXT):
        return utf8(value)
    try:
        return utf8(str(value))
    except UnicodeEncodeError:
        return utf8(TEXT(value))


def exit_code(code):
    """The meaning of sys.exit(code): None is 0, a number is itself, anything else is a message and 1."""
    if code is None:
        return 0, ''
    if isinstance(code, int) or type(code).__name__ == 'long':
        return int(code) & 0xff, ''
    return 1, as_text(code) + b'\n'


def traceback_text(job):
    kind, value, trace = sys.exc_info()
    job.free_descriptor()
    mine = load.__code__.co_filename
    while trace is not None and trace.tb_frame.f_code.co_filename == mine:
        trace = trace.tb_next
    try:
        import traceback
        return b''.join(utf8(line) for line in traceback.format_exception(kind, value, trace))
    except Exception:
        return utf8('%s, and its traceback cannot be written\n' % kind.__name__)


def run(job):
    """Runs the function, sends its result and returns the exit code."""
    entered = False
    try:
        event, handler = read_event(job.event), load(job.code)
        entered = True
        result = as_text(awaited(handler(event)))
        job.flush()
        job.send(result)
        return 0
    except Failure:
        job.report_error('%s\n' % sys.exc_info()[1])
    except SystemExit:
        code, message = exit_code(sys.exc_info()[1].code)
        job.report_error(message)
        if entered and code == 0:
            job.send(b'')
        return code
    except BaseException:
        job.report_error(traceback_text(job))
    return 1


def end(job, code):
    """Waits for threads and exit handlers for at most GRACE seconds, then exits."""
    def watch():
        sleep(GRACE)
        job.flush()
        leave(code)

    waits = (('threading', '_shutdown'), ('atexit', '_run_exitfuncs'))
    try:
        start_new_thread(watch, ())
        for module, finish in waits:
            finish = getattr(sys.modules.get(module), finish, None)
            if finish is not None:
                finish()
    except BaseException:
        job.report_error(traceback_text(job))
    job.flush()
    leave(code)


def enter_writable_directory():
    # An image without a working directory starts in /, where a job cannot write.
    home = os.environ.get('HOME')
    if home and os.getcwd() == '/':
        try:
            os.chdir(home)
        except OSError:
            pass


def main():
    job = Job(os.environ['SHAREDCLOUD_INPUT'])
    enter_writable_directory()
    code = 1
    try:
        code = run(job)
    except BaseException:
        job.report_error(traceback_text(job) or 'the result could not be written\n')
    if own_pid() == job.pid:
        end(job, code)
    job.flush()
    leave(code)


main()
