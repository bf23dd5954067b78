/** Whether operations write themselves into the autograd graph: on by default, off inside `noGrad` and inside rules. */

let recording = true;

export function isRecording(): boolean {
  return recording;
}

/** @internal Sets the switch and returns what it was. */
export function setRecording(value: boolean): boolean {
  const before = recording;
  recording = value;
  return before;
}

/** @internal Runs `body` with recording, inside a gradient rule for one. */
export function recorded<Result>(body: () => Result): Result {
  const before = setRecording(true);
  try {
    return body();
  } finally {
    setRecording(before);
  }
}

/**
 * Runs `body` without recording: its results have no graph, so nothing is kept for a backward pass.
 *
 * @example
 * const logits = noGrad(() => model.forward(ids, context));
 */
export function noGrad<Result>(body: () => Result): Result {
  const before = setRecording(false);
  try {
    return body();
  } finally {
    setRecording(before);
  }
}
