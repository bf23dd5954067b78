// Generated from native/kernels.def by scripts/generate-kernels.mjs; do not edit.

export const scoreOps = ['score', 'constant', 'b', 'h', 'q', 'k', 'lookup', 'add', 'subtract', 'multiply', 'divide', 'minimum', 'maximum', 'negate', 'absolute', 'exp', 'log', 'tanh', 'sqrt', 'floor', 'less', 'lessEqual', 'equal', 'select'] as const;
