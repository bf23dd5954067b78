// Generated from native/kernels.def by scripts/generate-kernels.mjs; do not edit.

export const statistics = ['keys', 'logitMax', 'pMax', 'entropyNats', 'squareSum', 'meanDistance', 'firstMass', 'selfMass', 'previousMass', 'nextMass'] as const;
