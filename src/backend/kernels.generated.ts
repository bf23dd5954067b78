// Generated from native/kernels.def by scripts/generate-kernels.mjs; do not edit.

export const kernelTable = {
  fill_f32: {
    operands:
      'out:f32[...]!',
    scalars: 'value',
  },
  copy_f32: {
    operands:
      'out:f32[...]! a:f32[...]',
    scalars: '',
  },
  affine_f32: {
    operands:
      'out:f32[...]!= a:f32[...]',
    scalars: 'scale shift',
  },
  unary_f32: {
    operands:
      'out:f32[...]!= a:f32[...]',
    scalars: 'op',
  },
  unary_backward_f32: {
    operands:
      'da:f32[...]!= a:f32[...] dout:f32[...]',
    scalars: 'op',
  },
  binary_f32: {
    operands:
      'out:f32[...]!= a:f32[...] b:f32[...]',
    scalars: 'op',
  },
  select_f32: {
    operands:
      'out:f32[...]!= condition:u8[...] a:f32[...] b:f32[...]',
    scalars: '',
  },
  dropout_f32: {
    operands:
      'out:f32[N]!= a:f32[N]',
    scalars: 'rate seed stream',
  },
  reduce_f32: {
    operands:
      'out:f32[M,N]! a:f32[M,K,N]',
    scalars: 'op',
  },
  argmax_f32: {
    operands:
      'out:i32[M,N]! a:f32[M,K,N]',
    scalars: '',
  },
  softmax_f32: {
    operands:
      'out:f32[M,N]!= a:f32[M,N]',
    scalars: 'log',
  },
  softmax_backward_f32: {
    operands:
      'da:f32[M,N]!= out:f32[M,N] dout:f32[M,N]',
    scalars: 'log',
  },
  cross_entropy_f32: {
    operands:
      'loss:f32[M]! lse:f32[M]! logits:f32[M,V] target:i32[M]',
    scalars: 'smoothing ignore',
  },
  cross_entropy_backward_f32: {
    operands:
      'dlogits:f32[M,V]!= logits:f32[M,V] lse:f32[M] target:i32[M] dloss:f32[M]',
    scalars: 'smoothing ignore',
  },
  layer_norm_f32: {
    operands:
      'out:f32[M,E]! mean:f32[M]! rstd:f32[M]! x:f32[M,E] gamma:f32[E]? beta:f32[E]?',
    scalars: 'epsilon',
  },
  layer_norm_backward_f32: {
    operands:
      'dx:f32[M,E]! dgamma:f32[E]!? dbeta:f32[E]!? dout:f32[M,E] x:f32[M,E] mean:f32[M] rstd:f32[M] gamma:f32[E]?',
    scalars: '',
  },
  rms_norm_f32: {
    operands:
      'out:f32[M,E]! rstd:f32[M]! x:f32[M,E] gamma:f32[E]?',
    scalars: 'epsilon',
  },
  rms_norm_backward_f32: {
    operands:
      'dx:f32[M,E]! dgamma:f32[E]!? dout:f32[M,E] x:f32[M,E] rstd:f32[M] gamma:f32[E]?',
    scalars: '',
  },
  gather_rows_f32: {
    operands:
      'out:f32[M,E]! table:f32[V,E] index:i32[M]',
    scalars: '',
  },
  scatter_add_rows_f32: {
    operands:
      'table:f32[V,E]+ rows:f32[M,E] index:i32[M]',
    scalars: '',
  },
  matmul_f32: {
    operands:
      'out:f32[A,B,M,N]! a:f32[A,B,M,K] b:f32[A,B,K,N] bias:f32[N]? residual:f32[A,B,M,N]?',
    scalars: 'alpha activation',
  },
  attention_forward_f32: {
    operands:
      'out:f32[B,H,L,Dv]! lse:f32[B,H,L]! statistics:f32[16,B,H,L]!? received:f32[B,H,S]!? tiles:f32[B,H,P,P]!? topWeights:f32[B,H,L,T]!? topKeys:i32[B,H,L,T]!? zeroKeys:f32[B,H,L]!? relativeMass:f32[B,H,L,U]!? q:f32[B,H,L,D] k:f32[B,G,S,D] v:f32[B,G,S,Dv] mask:u8[B,H,L,S]? bias:f32[B,H,L,S]? lengths:i32[B]? relative:f32[B,H,L,U]? sinks:f32[H]? set:u8[B,S]? blocks:i32[B,H,X,Y]? patterns:u8[N,R,64]? program:i32[I,4]? captured:f32[K]?',
    scalars: 'scale softcap left right offset reach dropoutRate seed stream window',
  },
  attention_backward_f32: {
    operands:
      'dq:f32[B,H,L,D]! dk:f32[B,G,S,D]! dv:f32[B,G,S,Dv]! dbias:f32[B,H,L,S]!? drelative:f32[B,H,W,U]!? dsinks:f32[H]!? dcaptured:f32[K]!? dout:f32[B,H,L,Dv] out:f32[B,H,L,Dv] lse:f32[B,H,L] dlse:f32[B,H,L]? dstatistics:f32[16,B,H,L]? statistics:f32[16,B,H,L]? q:f32[B,H,L,D] k:f32[B,G,S,D] v:f32[B,G,S,Dv] mask:u8[B,H,L,S]? bias:f32[B,H,L,S]? lengths:i32[B]? relative:f32[B,H,L,U]? sinks:f32[H]? relativeMass:f32[B,H,L,U]? drelativeMass:f32[B,H,L,U]? set:u8[B,S]? blocks:i32[B,H,X,Y]? patterns:u8[N,R,64]? program:i32[I,4]? captured:f32[K]?',
    scalars: 'scale softcap left right offset reach dropoutRate seed stream window',
  },
  attention_weights_f32: {
    operands:
      'weights:f32[B,H,L,S]! q:f32[B,H,L,D] k:f32[B,G,S,D] lse:f32[B,H,L] mask:u8[B,H,L,S]? bias:f32[B,H,L,S]? lengths:i32[B]? relative:f32[B,H,L,U]? program:i32[I,4]? captured:f32[K]?',
    scalars: 'scale softcap left right offset reach',
  },
  attention_transposed_f32: {
    operands:
      'out:f32[B,H,S,C]! r:f32[B,H,L,C] q:f32[B,H,L,D] k:f32[B,G,S,D] lse:f32[B,H,L] mask:u8[B,H,L,S]? bias:f32[B,H,L,S]? lengths:i32[B]? relative:f32[B,H,L,U]? blocks:i32[B,H,X,Y]? patterns:u8[N,R,64]? program:i32[I,4]? captured:f32[K]?',
    scalars: 'scale softcap left right offset reach',
  },
  adamw_f32: {
    operands:
      'parameter:f32[N]+ m:f32[N]+ v:f32[N]+ gradient:f32[N]',
    scalars: 'rate beta1 beta2 epsilon decay step gradientScale',
  },
  square_sum_f32: {
    operands:
      'out:f32[1]! a:f32[N]',
    scalars: '',
  },
} as const;

export const unaryOps = ['negate', 'exp', 'log', 'sqrt', 'tanh', 'sigmoid', 'relu', 'gelu', 'silu', 'square', 'abs'] as const;
export const binaryOps = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'] as const;
export const reduceOps = ['sum', 'mean', 'max', 'min'] as const;
export const activations = ['none', 'relu', 'gelu'] as const;
