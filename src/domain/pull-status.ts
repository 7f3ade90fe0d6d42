/** How far the pull of an image is. */
export type PullStatus = {
  readonly image: string;
  /** Of the compressed layers whose sizes are known. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** How many layers' sizes are not known yet: Docker names a size when the download of a layer begins. */
  readonly unknownLayers: number;
  /** Of the last ten seconds. */
  readonly bytesPerSecond: number;
  /** Until all is downloaded; undefined: not known, or the image is being unpacked. */
  readonly secondsLeft: number | undefined;
};
