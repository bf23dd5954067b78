/** The elementwise family under one name: two operands (arithmetic.ts), one (unary.ts), chosen (choose.ts). */

export { add, affine, divide, maximum, minimum, multiply, type Operand, subtract } from './arithmetic.js';
export { type DropoutOptions, dropout, where } from './choose.js';
export * from './unary.js';
