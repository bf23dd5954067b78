/** All rules of the doctor. A new rule is an object in rules/ and a line here; docs/doctor.md is checked against it. */

import type { Rule } from './rule.js';
import { attentionSink, entropyCollapse, saturatedSoftmax, uniformHead } from './rules/entropy.js';
import { drift, unevenAttention, zeroAttention } from './rules/keys.js';
import { logitGrowth, notANumber } from './rules/logits.js';
import { causalLeak, maskedRow, paddingLeak } from './rules/masks.js';
import { inactiveHead, massiveActivation, rankCollapse, redundantHeads } from './rules/outputs.js';

export const rules: readonly Rule[] = [
  notANumber,
  causalLeak,
  paddingLeak,
  maskedRow,
  logitGrowth,
  entropyCollapse,
  saturatedSoftmax,
  rankCollapse,
  massiveActivation,
  inactiveHead,
  redundantHeads,
  uniformHead,
  zeroAttention,
  unevenAttention,
  drift,
  attentionSink,
];
