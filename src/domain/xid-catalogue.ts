/** Who causes an Xid as a rule. `none`: nobody, it is for information. */
export type XidFault = 'job' | 'host' | 'none';

/** What Nvidia recommends to do at once. `see-text`: the line itself says it. */
export type XidAction =
  | 'ignore'
  | 'restart-app'
  | 'reset-gpu'
  | 'reboot'
  | 'check-hardware'
  | 'check-link'
  | 'update-software'
  | 'contact-support'
  | 'see-text';

/** One Xid of the catalogue. */
export type CatalogueXid = {
  readonly meaning: string;
  readonly fault: XidFault;
  readonly action: XidAction;
};

type Row = readonly [number: number, meaning: string, fault: XidFault, action: XidAction];

/*
 * Nvidia's catalogue (docs.nvidia.com/deploy/xid-errors, for drivers up to 610), in our words. Whose fault it is, is our
 * reading of the recommended action: a reset, a reboot or a check of the hardware is the host's, except for 109, which a
 * job can cause, for 155, 156 and 159, which intended changes and other errors bring along, and for 94, which ends one
 * program but is a memory error.
 */
const ROWS: readonly Row[] = [
  [8, 'the GPU stopped processing a channel', 'job', 'restart-app'],
  [11, 'an invalid command in a push buffer', 'job', 'restart-app'],
  [13, 'an exception of the graphics engine', 'job', 'restart-app'],
  [14, 'an error that was made up for a test', 'none', 'ignore'],
  [25, 'an illegal notification of the graphics engine', 'job', 'restart-app'],
  [31, 'an access to memory that the program does not have', 'job', 'restart-app'],
  [32, 'an invalid or corrupted push buffer', 'job', 'restart-app'],
  [37, 'an unknown method of the context switching firmware', 'job', 'ignore'],
  [38, 'a watchdog of the context switching firmware ran out', 'job', 'ignore'],
  [39, 'an error of copy engine 0', 'job', 'restart-app'],
  [40, 'an error of copy engine 1', 'job', 'restart-app'],
  [41, 'an error of copy engine 2', 'job', 'restart-app'],
  [43, 'a program was ended after an error of its own', 'job', 'ignore'],
  [44, 'a fault during a context switch', 'job', 'ignore'],
  [45, 'a program was removed after an earlier error, or because it was ended', 'none', 'ignore'],
  [46, 'the GPU stopped processing', 'host', 'reset-gpu'],
  [48, 'a double-bit memory error', 'host', 'reset-gpu'],
  [54, 'the auxiliary power is not connected', 'host', 'check-hardware'],
  [60, 'an error of the video processor', 'job', 'restart-app'],
  [62, 'the internal micro-controller halted', 'host', 'reset-gpu'],
  [63, 'a memory row was remapped or a page retired', 'none', 'ignore'],
  [64, 'a memory row remapping or page retirement could not be recorded', 'host', 'reset-gpu'],
  [66, 'an illegal access of the context switching firmware', 'job', 'ignore'],
  [67, 'a violation of the context switching firmware', 'job', 'ignore'],
  [68, 'an error of video decoder 0', 'job', 'restart-app'],
  [69, 'an error of the graphics engine class', 'job', 'restart-app'],
  [70, 'an error of copy engine 3', 'job', 'restart-app'],
  [71, 'an error of copy engine 4', 'job', 'restart-app'],
  [72, 'an error of copy engine 5', 'job', 'restart-app'],
  [74, 'an NVLink error', 'host', 'check-link'],
  [75, 'an error of copy engine 6', 'job', 'restart-app'],
  [76, 'an error of copy engine 7', 'job', 'restart-app'],
  [77, 'an error of copy engine 8', 'job', 'restart-app'],
  [78, 'a vGPU could not be started', 'none', 'update-software'],
  [79, 'the GPU has fallen off the bus', 'host', 'reboot'],
  [80, 'corrupted data was sent to the GPU', 'job', 'restart-app'],
  [82, 'an error of JPEG decoder 0', 'job', 'restart-app'],
  [83, 'an error of video decoder 1', 'job', 'restart-app'],
  [84, 'an error of video decoder 2', 'job', 'restart-app'],
  [85, 'an error of copy engine 9', 'job', 'restart-app'],
  [86, 'an error of optical flow accelerator 0', 'job', 'restart-app'],
  [88, 'an error of video decoder 3', 'job', 'restart-app'],
  [89, 'an error of video decoder 4', 'job', 'restart-app'],
  [92, 'many single-bit memory errors, which were corrected', 'none', 'ignore'],
  [93, 'the infoROM was erased too often', 'none', 'ignore'],
  [94, 'a memory error, contained to one program', 'host', 'restart-app'],
  [95, 'an uncontained memory error', 'host', 'reset-gpu'],
  [96, 'an error of video decoder 5', 'job', 'restart-app'],
  [97, 'an error of video decoder 6', 'job', 'restart-app'],
  [98, 'an error of video decoder 7', 'job', 'restart-app'],
  [99, 'an error of JPEG decoder 1', 'job', 'restart-app'],
  [100, 'an error of JPEG decoder 2', 'job', 'restart-app'],
  [101, 'an error of JPEG decoder 3', 'job', 'restart-app'],
  [102, 'an error of JPEG decoder 4', 'job', 'restart-app'],
  [103, 'an error of JPEG decoder 5', 'job', 'restart-app'],
  [104, 'an error of JPEG decoder 6', 'job', 'restart-app'],
  [105, 'an error of JPEG decoder 7', 'job', 'restart-app'],
  [106, 'a test message of the management bus', 'none', 'ignore'],
  [107, 'a silent test message of the management bus', 'none', 'ignore'],
  [108, 'an NVLink address of another GPU could not be translated', 'none', 'ignore'],
  [109, 'a context switch ran out of time', 'job', 'reset-gpu'],
  [110, 'a hardware security fault', 'host', 'reset-gpu'],
  [119, 'the GPU system processor does not answer the driver', 'host', 'reset-gpu'],
  [120, 'an error in the GPU system processor', 'host', 'reset-gpu'],
  [121, 'an error of the link to the CPU, which was corrected', 'none', 'ignore'],
  [126, 'an error of copy engine 10', 'job', 'restart-app'],
  [127, 'an error of copy engine 11', 'job', 'restart-app'],
  [128, 'an error of copy engine 12', 'job', 'restart-app'],
  [129, 'an error of copy engine 13', 'job', 'restart-app'],
  [130, 'an error of copy engine 14', 'job', 'restart-app'],
  [131, 'an error of copy engine 15', 'job', 'restart-app'],
  [132, 'an error of copy engine 16', 'job', 'restart-app'],
  [133, 'an error of copy engine 17', 'job', 'restart-app'],
  [134, 'an error of copy engine 18', 'job', 'restart-app'],
  [135, 'an error of copy engine 19', 'job', 'restart-app'],
  [136, 'a link could not be trained', 'host', 'reset-gpu'],
  [137, 'an illegal access over NVLink', 'job', 'ignore'],
  [139, 'an error of optical flow accelerator 1', 'job', 'restart-app'],
  [140, 'a memory error that the driver could not handle', 'host', 'reset-gpu'],
  [141, 'an error on CUDA’s fast path', 'job', 'ignore'],
  [142, 'an error of video encoder 3', 'job', 'contact-support'],
  [143, 'the GPU could not be initialised', 'host', 'reset-gpu'],
  [144, 'an NVLink error (SAW)', 'host', 'check-link'],
  [145, 'an NVLink error (RLW)', 'host', 'check-link'],
  [146, 'an NVLink error (TLW)', 'host', 'check-link'],
  [147, 'an NVLink error (TREX), which was corrected', 'none', 'ignore'],
  [148, 'an NVLink error (NVLPW), which was corrected', 'none', 'ignore'],
  [149, 'an NVLink error (NETIR)', 'host', 'check-link'],
  [150, 'an NVLink error (MSE)', 'host', 'check-link'],
  [151, 'a key of confidential computing could not be replaced', 'host', 'reboot'],
  [152, 'an error of the deep learning accelerator’s memory', 'job', 'ignore'],
  [153, 'the deep learning accelerator ran out of time', 'job', 'ignore'],
  [154, 'the driver asks for a recovery of the GPU', 'host', 'see-text'],
  [155, 'an NVLink went down, maybe as intended', 'none', 'reset-gpu'],
  [156, 'a resource of the GPU was retired', 'none', 'reset-gpu'],
  [157, 'a resource of the GPU could not be retired', 'none', 'ignore'],
  [158, 'a fatal timeout of the GPU', 'host', 'reset-gpu'],
  [159, 'an error of the coherent link to the CPU', 'none', 'reset-gpu'],
  [160, 'a memory channel was retired', 'none', 'ignore'],
  [161, 'a memory channel could not be retired', 'none', 'ignore'],
  [162, 'power smoothing is engaged again', 'none', 'ignore'],
  [163, 'power smoothing is disengaged', 'none', 'ignore'],
  [164, 'the power smoothing circuit is nearly worn out', 'none', 'check-hardware'],
  [165, 'the power smoothing circuit is worn out', 'none', 'check-hardware'],
  [166, 'unencrypted traffic on an NVLink of confidential computing', 'none', 'contact-support'],
  [167, 'a fatal timeout of PCI Express', 'host', 'reboot'],
  [168, 'the GPU has less memory than it should', 'none', 'reboot'],
  [169, 'the security processor halted', 'host', 'reset-gpu'],
  [170, 'an interrupt of confidential computing on NVLink', 'none', 'contact-support'],
  [171, 'an uncorrectable memory error', 'host', 'reset-gpu'],
  [172, 'an uncorrectable cache error', 'host', 'reset-gpu'],
  [185, 'a spare part of the GPU’s memory came into use', 'none', 'ignore'],
];

/** Numbers of the catalogue that no driver of today uses. */
export const UNUSED_XIDS: ReadonlySet<number> = new Set([
  1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 33, 34, 35, 36,
  42, 47, 49, 50, 51, 52, 53, 55, 56, 57, 58, 59, 61, 65, 73, 81, 87, 90, 91, 111, 112, 113, 114, 115, 116,
  117, 118, 122, 123, 124, 125, 138,
]);

/** The catalogue by number. */
export const XID_CATALOGUE: ReadonlyMap<number, CatalogueXid> = new Map(
  ROWS.map(([number, meaning, fault, action]) => [number, { meaning, fault, action }]),
);
