/**
 * What the C++ side answers: 0, or a code of `status` (native/call.h) or `refusal` (native/call_parser.h) plus 32 times
 * the operand it is about. Native and WASM share the words.
 */

import { BackendError } from '../core/errors.js';
import type { KernelName, Operands, Scalars } from './contract.js';
import { checkCall, signatures } from './signature.js';

const words: Readonly<Record<number, string>> = {
  1: 'memory for intermediate results, got none',
  2: 'indices inside the table, got one outside',
  3: 'scalars in their range, got one outside',
  4: 'blocks and patterns that cover L and S, got fewer',
  5: 'a score program of 1 to 256 known instructions on earlier values and at most 2^24 captured ones, got another',
  8: 'a known kernel, got another',
  9: 'as many numbers and operands as its signature, got another count',
  10: 'the operand, got nothing',
  11: 'the element type of its signature, got another',
  12: 'the rank of its signature, got another',
  13: 'whole, non-negative offset, sizes and strides, got others',
  14: 'a view that fits its memory, got one that reaches past it; is the buffer freed or detached?',
  15: 'no broadcast axis because it is written, got one',
  16: 'sizes that agree, got others',
  17: 'at most 2^53 - 1 elements, got more',
  18: 'to lie apart from the output, got overlapping memory',
};

/**
 * Turns a code that is not 0 into the error it stands for. Asks checkCall first, whose words name sizes and values.
 */
export function throwStatus<K extends KernelName>(
  kernel: K,
  operands: Operands<K>,
  scalars: Scalars<K>,
  code: number,
): never {
  checkCall(kernel, operands, scalars);
  const operand = code >= 8 ? ` ${signatures[kernel].operands[code >> 5]?.name}:` : '';
  const status = code & 31;
  throw new BackendError(`${kernel}:${operand} expected ${words[status] ?? 'success, got'} (code ${status})`, {
    kernel,
    code: status,
    scalars: { ...(scalars as Record<string, number>) },
  });
}
