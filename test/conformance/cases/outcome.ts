/** What a forward case returns, as float32 input of a backward case. */

import { createReferenceBackend } from '../../../src/backend/reference/createReferenceBackend.js';
import { type Case, type Input, inputFrom } from '../case.js';
import { execute } from '../run.js';

const float32 = createReferenceBackend();

/** Output `name` of the case, computed by the reference when first asked for. */
export function outcome(of: Case, name: string): Input {
  return inputFrom(of.outputs[name] as readonly number[], () => {
    const values = execute(float32, of)[name] as Float64Array;
    return (index) => values[index] as number;
  });
}
