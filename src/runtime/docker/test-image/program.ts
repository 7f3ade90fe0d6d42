/** The architectures of the program, as Go and Docker name them. */
export type ProgramArchitecture = 'amd64' | 'arm64';

/**
 * The machine code of `copy PATH`: copies the file to stdout and exits with 0, or with 1 after any error. Each line is
 * one step; the comment is its assembly, `as` and `objdump -d` show the same bytes.
 */
const CODE: Readonly<
  Record<ProgramArchitecture, { readonly machine: number; readonly hex: readonly string[] }>
> = {
  amd64: {
    machine: 62,
    hex: [
      '48 8b 74 24 10', // mov rsi, [rsp+16]  argv[1]
      'bf 9c ff ff ff 31 d2 b8 01 01 00 00 0f 05', // openat(AT_FDCWD, rsi, O_RDONLY)
      '85 c0 78 3d 89 c3', // test eax, eax; js fail; mov ebx, eax
      '48 81 ec 00 10 00 00', // sub rsp, 4096
      '89 df 48 89 e6 ba 00 10 00 00 31 c0 0f 05', // loop: read(ebx, rsp, 4096)
      'bf 00 00 00 00 48 85 c0 78 1c 74 1f', // mov edi, 0; test rax, rax; js fail; jz exit
      '49 89 c4 48 89 c2', // mov r12, rax; mov rdx, rax
      'bf 01 00 00 00 48 89 e6 b8 01 00 00 00 0f 05', // write(1, rsp, rdx)
      '4c 39 e0 74 cc', // cmp rax, r12; je loop
      'bf 01 00 00 00', // fail: mov edi, 1
      'b8 e7 00 00 00 0f 05', // exit: exit_group(edi)
    ],
  },
  arm64: {
    machine: 183,
    hex: [
      'e1 0b 40 f9', // ldr x1, [sp, #16]  argv[1]
      '60 0c 80 92 02 00 80 d2 08 07 80 d2 01 00 00 d4', // openat(AT_FDCWD, x1, O_RDONLY)
      '40 02 f8 b7 f3 03 00 aa', // tbnz x0, #63, fail; mov x19, x0
      'ff 07 40 d1', // sub sp, sp, #4096
      'e0 03 13 aa e1 03 00 91 02 00 82 d2 e8 07 80 d2 01 00 00 d4', // loop: read(x19, sp, 4096)
      '40 01 f8 b7 40 01 00 b4', // tbnz x0, #63, fail; cbz x0, exit
      'f4 03 00 aa e2 03 00 aa', // mov x20, x0; mov x2, x0
      '20 00 80 d2 e1 03 00 91 08 08 80 d2 01 00 00 d4', // write(1, sp, x2)
      '1f 00 14 eb 40 fe ff 54', // cmp x0, x20; b.eq loop
      '20 00 80 d2', // fail: mov x0, #1
      'c8 0b 80 d2 01 00 00 d4', // exit: exit_group(x0)
    ],
  },
};

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const LOAD_ADDRESS = 0x400000n;

/** A static ELF executable of `copy PATH`: two headers and the code, in one segment that is loaded as a whole. Pure. */
export function copyProgram(architecture: ProgramArchitecture): Buffer {
  const { hex, machine } = CODE[architecture];
  const code = Buffer.from(hex.join('').replaceAll(' ', ''), 'hex');
  const headerBytes = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const file = Buffer.alloc(headerBytes);
  // ELF, 64 bits, little-endian, version 1.
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(2, 16); // An executable
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20); // Version
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(headerBytes), 24); // Entry
  file.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32); // Offset of the program header
  file.writeUInt16LE(FILE_HEADER_BYTES, 52);
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  file.writeUInt16LE(1, 56); // One program header
  const segment = FILE_HEADER_BYTES;
  const size = BigInt(headerBytes + code.length);
  file.writeUInt32LE(1, segment); // To be loaded
  file.writeUInt32LE(5, segment + 4); // Readable and executable
  file.writeBigUInt64LE(LOAD_ADDRESS, segment + 16);
  file.writeBigUInt64LE(LOAD_ADDRESS, segment + 24);
  file.writeBigUInt64LE(size, segment + 32);
  file.writeBigUInt64LE(size, segment + 40);
  file.writeBigUInt64LE(0x10000n, segment + 48); // Alignment, for pages of 64 KiB too
  return Buffer.concat([file, code]);
}
