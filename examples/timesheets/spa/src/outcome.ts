/** What became of a request to the API. One that is not `done` changed nothing, unless it says `sent`. */
export type Outcome<T> = { kind: 'done'; value: T } | Failure;

export type Failure =
  /** Nobody is signed in any more: the session ended, or the gate wants somebody else's token. */
  | { kind: 'signed-out'; cause: 'ended' | 'refused' }
  /** 403. `scope` is what the token lacks, if the gate says so. */
  | { kind: 'forbidden'; scope: string | undefined; title: string }
  /** 422, with what is wrong where. */
  | { kind: 'invalid'; title: string; errors: FieldError[] }
  /** 503: to be tried again after so many seconds. */
  | { kind: 'not-ready'; seconds: number | undefined }
  /** No answer. A request that was `sent` may have been carried out all the same. */
  | { kind: 'unreachable'; party: 'api' | 'authorization-server'; sent: boolean }
  /** Any other refusal, and an answer that is not what the API promises. */
  | { kind: 'problem'; status: number; title: string };

export interface FieldError {
  field: string;
  message: string;
}
