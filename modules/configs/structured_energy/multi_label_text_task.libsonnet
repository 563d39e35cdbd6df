// Sets of labels of texts, as `methods.libsonnet` takes a task: words with embeddings of their own,
// or a pretrained transformer, frozen or trained further.
local networks = import 'networks.libsonnet';
local task = import 'multi_label_task.libsonnet';
local transformers = import 'transformers.libsonnet';

// The tokenizer, the indexers and the embedders of the table.
local words(d) =
  if d.transformer == null then {
    [if d.tokenizer != null then 'tokenizer']: d.tokenizer,
    token_indexers: d.indexers,
  } else {
    local transformer = { type: 'pretrained_transformer', model_name: d.transformer },
    tokenizer: transformer { max_length: d.max_length },
    token_indexers: { tokens: transformer },
  };

local embedders(d) =
  if d.transformer == null then d.embedders else {
    local plain = {
      type: 'pretrained_transformer',
      model_name: d.transformer,
      [if d.gradient_checkpointing then 'gradient_checkpointing']: true,
    },
    local layers = transformers.with_layers(d, plain),
    tokens: if d.lora == null then layers else { type: 'lora', embedder: layers } + d.lora,
  };

// One vector for each text.
local text(d) = {
  type: 'text',
  embedder: { token_embedders: embedders(d) },
  [if d.token_encoder != null then 'encoder']: d.token_encoder,
  [if d.seq2vec_encoder != null then 'seq2vec_encoder']: d.seq2vec_encoder,
  [if d.seq2vec_encoder == null then 'pooling']: d.pooling,
  [if d.texts != null then 'texts']: d.texts,
};

local encoder(d, hidden, dropout) =
  local inner = if d.frozen then transformers.encoded_once(d, text(d)) else text(d);
  if std.length(hidden) == 0 then inner
  else { type: 'feedforward', encoder: inner, feedforward: networks.feedforward(hidden, dropout) };

// Of a transformer that is trained, with all of its weights.
local groups(d) = transformers.groups(
  d { transformer_layers: d.num_layers },
  d.transformer != null && !d.frozen && d.lora == null,
);

task {
  defaults+: {
    local d = self,
    reader: 'multi-label-text',
    standardize: null,  // texts have no features

    // Words: any tokenizer, indexers, embedders and encoders of AllenNLP.
    tokenizer: null,
    indexers: { tokens: { type: 'single_id', lowercase_tokens: true } },
    embedders: { tokens: { type: 'embedding', embedding_dim: 100 } },
    token_encoder: null,
    seq2vec_encoder: null,
    pooling: ['mean', 'max'],  // of tokens, where there is no seq2vec_encoder
    texts: null,  // the columns of text, where each has a vector, such as ['title', 'body']

    // A pretrained transformer in place of words: a name of the hub, a folder or `package://…`.
    transformer: null,
    max_length: 128,
    layers: null,  // whose states are concatenated, such as [4, 5, 6]; by default the last one
    frozen: d.transformer != null,  // encoded once, and not trained
    store: 'memory',  // where encodings are stored; later runs reuse a 'file'
    input_dropout: 0,  // of the encodings
    lora: null,  // settings of the embedder 'lora'
    transformer_lr: 5e-5,
    layer_decay: 1,  // of the rate, from each layer to the one below
    num_layers: 12,
    warmup_steps: null,  // for which rates rise, before they fall to 0
    gradient_checkpointing: false,

    batch_size: 32,
    hidden: [400],
    score_encoder: 'own',  // or 'task-network', whose encoding it then reads
    num_epochs: 30,
    patience: 5,

    optimizer: { type: 'fused-adamw', lr: d.lr, weight_decay: d.weight_decay } + groups(d),
    score_optimizer:
      { type: 'fused-adamw', lr: d.score_lr, weight_decay: d.weight_decay }
      + (if d.score_encoder == 'own' then groups(d) else {}),
  },

  base(d): super.base(d { standardize: true }) + transformers.warmup(d) + {
    dataset_reader:
      (if std.isString(d.reader) then { type: d.reader } else d.reader)
      + words(d)
      + (if d.texts == null then {} else { text: d.texts, texts: 'separate' }),
  } + (
    if d.frozen || d.transformer == null then {} else {
      // Texts of like length together, for transformers pay for padding.
      data_loader: {
        batch_sampler: { type: 'bucket', batch_size: d.batch_size, sorting_keys: ['x'] },
      },
      validation_data_loader: {
        batch_sampler: { type: 'bucket', batch_size: 64, sorting_keys: ['x'], padding_noise: 0.0 },
      },
    }
  ),

  task_network(d): { model+: { task_network: { encoder: encoder(d, d.hidden, d.dropout) } } },

  score_network(d): super.score_network(d) + {
    model+: {
      score_network+: {
        encoder:
          if d.score_encoder == 'own' then encoder(d, d.score_hidden, d.score_dropout)
          else if std.length(d.score_hidden) == 0 then { type: 'task-network' }
          else {
            type: 'feedforward',
            encoder: { type: 'task-network' },
            feedforward: networks.feedforward(d.score_hidden, d.score_dropout),
          },
      },
    },
  },
}
