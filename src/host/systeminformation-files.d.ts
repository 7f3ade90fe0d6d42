/* The types of single files of systeminformation, which has types for its main module only. */

declare module 'systeminformation/lib/cpu.js' {
  export { cpu } from 'systeminformation';
}

declare module 'systeminformation/lib/memory.js' {
  export { mem } from 'systeminformation';
}

declare module 'systeminformation/lib/system.js' {
  export { system } from 'systeminformation';
}
