// Multi-label classification. A config is one call: a method of the table of a data set, which has
// the paths of the data, their reader, and what differs from `defaults`. The published data sets
// stand in data_sets.libsonnet.
local of_task = import 'multi_label_methods.libsonnet';

of_task(import 'multi_label_task.libsonnet')
