// The digits, with the loss of own_loss.py in place of the cross-entropy.
(import '../../training_configs/multi_label/digits/cross_entropy.jsonnet') {
  model+: { sampler+: { loss: { type: 'smoothed-cross-entropy', smoothing: 0.05 } } },
}
