// Generated from native/kernels.def by scripts/generate-kernels.mjs; do not edit.

export const statistics = ['keys', 'logitMax', 'logitMin', 'logitMean', 'logitVariance', 'pMax', 'entropyNats', 'squareSum', 'meanDistance', 'windowMass', 'futureMass', 'setMass', 'firstMass', 'selfMass', 'previousMass', 'nextMass'] as const;
