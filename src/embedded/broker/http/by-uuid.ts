/** A route whose path names one resource. */
export type ByUuid = { Params: { uuid: string } };
