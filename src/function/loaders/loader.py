# Runs a job inside its container: python -c "$CODE", CODE being this text. Speaks Python 2.7 and 3.0 and later.
# What it does and why is told in ../README.md; what it writes is read by ../frames.ts.
from __future__ import print_function

import ast
import atexit
import base64
import errno
import fcntl
import io
import json
import linecache
import os
import re
import select
import sys
import threading
import time
import traceback

PY2 = sys.version_info[0] == 2
TEXT = type(b''.decode('ascii'))
MODULE = 'sharedcloud_function'
# Bytes of a result per record: with base64 and its frame a record stays below PIPE_BUF (4096), and so in one piece.
RECORD = 3000
# Seconds that threads and exit handlers get after the handler has returned.
GRACE = 2.0
# Taken now, so that nothing that the function does to these modules changes what follows.
leave, write, own_pid = os._exit, os.write, os.getpid
b64encode, wait_writable = base64.b64encode, select.select


class Failure(Exception):
    """Something that is told in one sentence, without a traceback."""


def private_copy(fd):
    """A descriptor of our own, which outlives what the function does to fd; processes that it starts don't get it."""
    try:
        copy = os.dup(fd)
    except OSError:
        return None
    fcntl.fcntl(copy, fcntl.F_SETFD, fcntl.fcntl(copy, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
    return copy


def write_all(fd, data):
    while data:
        try:
            data = data[write(fd, data):]
        except (OSError, IOError) as failure:
            if failure.errno == errno.EAGAIN:
                wait_writable([], [fd], [])
            elif failure.errno != errno.EINTR:
                raise


def line_by_line(stream):
    """UTF-8 whatever the locale says, and out with every line, so that a job that is killed keeps what it printed."""
    if PY2 or stream is None:
        return stream  # Python 2 is told by PYTHONIOENCODING and PYTHONUNBUFFERED.
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
        # The first ones are kept too: were they collected, they would close what they wrap.
        self.streams = [sys.stdout, sys.stderr]
        sys.stdout = sys.__stdout__ = line_by_line(sys.stdout)
        sys.stderr = sys.__stderr__ = line_by_line(sys.stderr)
        self.streams += [sys.stdout, sys.stderr]
        with io.open(os.path.join(folder, 'job.json'), encoding='utf-8') as file:
            about = json.load(file)
        self.nonce, self.limit = about['nonce'], about['resultLimit']
        self.code, self.event = (os.path.join(folder, about[name]) for name in ('code', 'event'))

    def flush(self):
        for stream in [sys.stdout, sys.stderr] + self.streams:
            try:
                stream.flush()
            except Exception:
                pass  # Closed, replaced or broken by the function: nothing of it is left to save.

    def complain(self, text):
        self.flush()
        try:
            write_all(2 if self.err is None else self.err, utf8(text))
        except (OSError, IOError):
            pass  # Nobody reads stderr any more; the exit code still tells.

    def send(self, result):
        """Writes the result in records; only from the process that began: a forked one has none to give."""
        if own_pid() != self.pid:
            return
        if len(result) > self.limit:
            raise Failure('the result has %d bytes; at most %d are taken' % (len(result), self.limit))
        starts = range(0, len(result), RECORD)
        bodies = [(str(number), b64encode(result[at:at + RECORD]).decode('ascii')) for number, at in enumerate(starts)]
        for name, body in bodies + [('end', str(len(bodies)))]:
            record = '\x1e%s:%s:%s\x1e\n' % (self.nonce, name, body)
            write_all(1 if self.out is None else self.out, record.encode('ascii'))


def read_source(path):
    """The code as text. It came as text, so it is UTF-8 here, whatever a coding line in it says."""
    with io.open(path, 'rb') as file:
        text = file.read().decode('utf-8').replace('\r\n', '\n').replace('\r', '\n')
    text = text[1:] if text[:1] == b'\xef\xbb\xbf'.decode('utf-8') else text
    lines = text.splitlines(True)
    # Tracebacks show the source from here; a missing time of change means: never read it again.
    linecache.cache[path] = (len(text), None, [utf8(line) for line in lines] if PY2 else lines, path)
    if PY2:
        # Python 2 refuses a coding line in text; one letter less, and it is a mere comment.
        for number, line in enumerate(lines[:2]):
            lines[number] = re.sub(r'^([ \t\f]*#.*?codin)g([:=])', r'\1_\2', line)
    return TEXT().join(lines)


def load(path):
    """Executes the code as a module of its own: a block under `if __name__ == '__main__'` is not for jobs."""
    module = type(sys)(MODULE)
    module.__file__ = path
    module.__builtins__ = __builtins__
    # Found again by name, by pickle and by processes that multiprocessing starts.
    sys.modules[MODULE] = module
    sys.path.append(os.path.dirname(path))
    exec(compile(read_source(path), path, 'exec', 0, True), module.__dict__)
    handler = getattr(module, 'handler', None)
    if handler is None:
        raise Failure('the function has no handler: it must define handler(event)')
    if not callable(handler):
        raise Failure('the function\'s handler is no function but %r' % (handler,))
    return handler


def read_event(path):
    with io.open(path, encoding='utf-8') as file:
        text = file.read()
    try:
        return ast.literal_eval(text.lstrip(' \t'))
    except Exception:
        kind, value = sys.exc_info()[:2]
        raise Failure('the arguments are no Python literal: %s: %s' % (kind.__name__, value))


def awaited(value):
    if sys.version_info < (3, 5):
        return value
    import inspect
    if not inspect.isawaitable(value):
        return value
    import asyncio
    # A future runs on its own loop only.
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
    """What sys.exit(code) means: None is 0, a number is itself, all else is a message and 1."""
    if code is None:
        return 0, ''
    if isinstance(code, int) or type(code).__name__ == 'long':
        return int(code) & 0xff, ''
    return 1, as_text(code) + b'\n'


def traceback_text():
    kind, value, trace = sys.exc_info()
    mine = load.__code__.co_filename
    while trace is not None and trace.tb_frame.f_code.co_filename == mine:
        trace = trace.tb_next
    try:
        return b''.join(utf8(line) for line in traceback.format_exception(kind, value, trace))
    except Exception:
        return utf8('%s, and its traceback cannot be written\n' % kind.__name__)


def run(job):
    """Answers the exit code. The result is sent as soon as the handler has returned."""
    entered = False
    try:
        event, handler = read_event(job.event), load(job.code)
        entered = True
        result = as_text(awaited(handler(event)))
        job.flush()
        job.send(result)
        return 0
    except Failure:
        job.complain('%s\n' % sys.exc_info()[1])
    except SystemExit:
        code, message = exit_code(sys.exc_info()[1].code)
        job.complain(message)
        if entered and code == 0:
            job.send(b'')
        return code
    except BaseException:
        job.complain(traceback_text())
    return 1


def end(job, code):
    """Lets threads and exit handlers finish for a while, then ends whatever still runs."""
    def watch():
        time.sleep(GRACE)
        job.flush()
        leave(code)

    watcher = threading.Thread(target=watch)
    watcher.daemon = True
    watcher.start()
    try:
        for finish in (getattr(threading, '_shutdown', None), getattr(atexit, '_run_exitfuncs', None)):
            if finish is not None:
                finish()
    except BaseException:
        job.complain(traceback_text())
    job.flush()
    leave(code)


def go_where_files_can_be_written():
    # An image without a working directory of its own starts at the root, where a job may write nothing.
    home = os.environ.get('HOME')
    if home and os.getcwd() == '/':
        try:
            os.chdir(home)
        except OSError:
            pass


def main():
    job = Job(os.environ['SHAREDCLOUD_INPUT'])
    go_where_files_can_be_written()
    code = 1
    try:
        code = run(job)
    except BaseException:
        job.complain(traceback_text() or 'the result could not be written\n')
    if own_pid() == job.pid:
        end(job, code)
    job.flush()
    leave(code)


main()
