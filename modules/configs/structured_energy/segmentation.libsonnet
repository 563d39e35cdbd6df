// Masks of images. A config is one call: a method of the table of a data set, which has the paths of
// the data, their reader, and what differs from `defaults`. The published data set stands in
// segmentation_data_sets.libsonnet.
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

// Only where they are not the three of a picture, which the networks take by default.
local channels(d) = { [if d.channels != 3 then 'num_channels']: d.channels };

local lib = methods({
  defaults: {
    local d = self,
    reader: 'segmentation-npy',
    channels: 3,
    batch_size: 16,
    crop: [24, 24],
    windows_per_side: 3,
    encoder: 'u-net',
    hidden: [16, 32, 64],
    score_hidden: [16, 32, 64],
    image_and_mask: [16, 32, 32],
    encoding_and_mask: [32],
    num_perturbed: 4,
    dropout: 0.2,
    lr: 3e-3,
    weight_decay: 1e-3,
    batches_per_epoch: null,  // all of them
    num_epochs: 60,
    patience: null,  // the learning rate falls to 0 at the end
    picture_every: 10,  // epochs
    inference_rate: 500,  // a pixel's part of a value, its gradient, is about 1 / (height · width)
    score_weight: 0.1,
    value_weight: 1.0,
    task_cost_weight: 1.0,
    oracle_value: 'iou',
    decoder: { type: 'threshold', metric: 'iou' },
    metrics: ['iou', 'pixel-accuracy'],
    validation_metric: '+iou',
    score_is_value:: false,
  },

  base(d): {
    [if d.channels != 3 then 'dataset_reader']:
      channels(d) + (if std.isString(d.reader) then { type: d.reader } else d.reader),
    data_loader: {
      type: 'tensor',
      batch_size: d.batch_size,
      batches_per_epoch: d.batches_per_epoch,
      shuffle: true,
    },
    validation_data_loader: { type: 'tensor', batch_size: 64 },
    model+: {
      output_space: 'binary',
      oracle_value: d.oracle_value,
      decoder: d.decoder,
      metrics: d.metrics,
    },
    trainer+: {
      validation_metric: d.validation_metric,
      learning_rate_scheduler: { type: 'cosine', t_initial: d.num_epochs },
      callbacks: [{ type: 'pictures', every: d.picture_every }] + d.callbacks,
    },
  },

  task_network(d): {
    model+: {
      task_network: { encoder: channels(d) + { type: d.encoder, hidden: d.hidden, dropout: d.dropout } },
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
        channels(d) + { type: 'image-and-mask', hidden: d.image_and_mask, dropout: d.score_dropout },
      ],
    },
    model+: {
      score_network: {
        encoder: channels(d) + { type: d.encoder, hidden: d.score_hidden, dropout: d.score_dropout },
      } + if d.score_is_value then value else energy,
    },
    trainer+: {
      callbacks: [
        { type: 'pictures', every: d.picture_every, descent: lib.descent(d, d.inference_steps) },
      ] + d.callbacks,
    },
  },

  cost_augmented(d): error 'images have no cost-augmented network of their own',
});

swappable({
  [method](d): by_crops(lib.complete(d), lib[method](d {
    score_is_value:: std.member(['dvn', 'seal_dynamic_dvn'], method),
  }))
  for method in [
    'cross_entropy',
    'dvn',
    'inference_network',
    'seal_dynamic_dvn',
    'seal_dynamic_nce',
  ]
} + {
  defaults:: lib.defaults,
  complete:: lib.complete,
}, search_spaces)
