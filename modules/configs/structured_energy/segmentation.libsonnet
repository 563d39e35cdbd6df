// Masks of images. A config is one line: a method, called with the hyper-parameters of a data set,
// which stand in one table (segmentation_data_sets.libsonnet).
local methods = import 'methods.libsonnet';
local search_spaces = import 'segmentation_search_spaces.libsonnet';
local swappable = import 'swappable.libsonnet';

// Learning on crops, predictions by the mean over crops (Gygli et al. 2017). The task network's
// loss, where it stands in the inference, comes with it.
local by_crops(d, config) = config {
  data_loader+: {
    augmentations: [{ type: 'random-crop', size: d.crop }, 'random-flip'],
  },
  local inference = std.get(config.model, 'inference', config.model.sampler),
  local loss = if std.objectHas(config.model, 'inference') then std.get(inference, 'loss'),
  model+: {
    inference: {
      type: 'mean-over-crops',
      size: d.crop,
      windows_per_side: d.windows_per_side,
      mirrored: true,
      constituent: {
        [key]: inference[key]
        for key in std.objectFields(inference)
        if key != 'loss'
      },
      [if loss != null then 'loss']: loss,
    },
  },
};

local lib = methods({
  base(d): {
    data_loader: {
      type: 'tensor',
      batch_size: d.batch_size,
      batches_per_epoch: d.batches_per_epoch,
      shuffle: true,
    },
    validation_data_loader: { type: 'tensor', batch_size: 64 },
    model+: {
      output_space: 'binary',
      oracle_value: 'iou',
      threshold: { type: 'tuned', metric: 'iou' },
      metrics: ['iou', 'pixel-accuracy'],
    },
    trainer+: {
      validation_metric: '+iou',
      learning_rate_scheduler: { type: 'cosine', t_initial: d.num_epochs },
      callbacks: [{ type: 'pictures', every: d.picture_every }],
    },
  },

  task_network(d): {
    model+: {
      task_network: { encoder: { type: d.encoder, hidden: d.hidden, dropout: d.dropout } },
    },
  },

  // What stands for a value in [0, 1] is a mean over pixels. An energy is a sum, as a random
  // field's.
  score_network(d): {
    local value = {
      structured_scores: [
        {
          type: 'encoding-and-mask',
          hidden: d.encoding_and_mask,
          width: 1,
          dropout: d.score_dropout,
        },
      ],
      positions: 'mean',
    },
    local energy = {
      structured_scores: [
        'grid',
        { type: 'image-and-mask', hidden: d.image_and_mask, dropout: d.score_dropout },
      ],
    },
    model+: {
      score_network: {
        encoder: { type: d.encoder, hidden: d.score_hidden, dropout: d.score_dropout },
      } + if d.score_is_value then value else energy,
    },
    trainer+: {
      callbacks: [
        { type: 'pictures', every: d.picture_every, descent: lib.descent(d, d.inference_steps) },
      ],
    },
  },

  cost_augmented(d): error 'images have no cost-augmented network of their own',
});

swappable({
  [method](d): by_crops(d, lib[method](d {
    score_is_value: std.member(['dvn', 'seal_dynamic_dvn'], method),
  }))
  for method in [
    'cross_entropy',
    'dvn',
    'inference_network',
    'seal_dynamic_dvn',
    'seal_dynamic_nce',
  ]
}, search_spaces)
