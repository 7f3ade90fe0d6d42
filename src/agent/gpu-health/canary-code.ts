import type { Language } from '../../domain/language.ts';

/**
 * What a canary does. In Python it asks the GPU to fill a little memory and reads it back, through the driver's own
 * library; where the image has none it only shows that a container with this GPU starts. Runs on Python 2.7 and 3.
 */
const PYTHON = `import ctypes

WORD, WORDS = 0x5ca1ab1e, 1 << 18
OUT_OF_MEMORY = 2


class Full(Exception):
    pass


def fill_and_read(cuda):
    def call(name, *args):
        code = getattr(cuda, name)(*args)
        if code == OUT_OF_MEMORY:
            raise Full()
        if code != 0:
            raise SystemExit('%s failed with CUDA error %d' % (name, code))

    size = ctypes.c_size_t(4 * WORDS)
    count, device = ctypes.c_int(), ctypes.c_int()
    context, memory = ctypes.c_void_p(), ctypes.c_uint64()
    call('cuInit', 0)
    call('cuDeviceGetCount', ctypes.byref(count))
    if count.value < 1:
        raise SystemExit('the driver shows no GPU')
    call('cuDeviceGet', ctypes.byref(device), 0)
    call('cuDevicePrimaryCtxRetain', ctypes.byref(context), device)
    call('cuCtxSetCurrent', context)
    call('cuMemAlloc_v2', ctypes.byref(memory), size)
    call('cuMemsetD32_v2', memory, ctypes.c_uint(WORD), ctypes.c_size_t(WORDS))
    words = (ctypes.c_uint * WORDS)()
    call('cuMemcpyDtoH_v2', words, memory, size)
    if any(word != WORD for word in words):
        raise SystemExit('the memory does not hold what was written to it')


def handler(event):
    try:
        cuda = ctypes.CDLL('libcuda.so.1')
    except OSError:
        return 'started; there is no libcuda here to try more'
    try:
        fill_and_read(cuda)
    except Full:
        raise SystemExit('others use all memory of the GPU')
    return 'filled some memory and read it back'
`;

const NODE = `function handler() {
  return 'started';
}
`;

/** The canary's function in each language. */
export const CANARY_CODE: Readonly<Record<Language, string>> = { python: PYTHON, node: NODE };
