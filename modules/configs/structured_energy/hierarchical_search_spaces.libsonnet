// As those of sets of labels.
local spaces = import 'search_spaces.libsonnet';

{
  [name]: spaces[name]
  for name in std.objectFields(spaces)
  if !std.member(['cross_fitted', 'classifier_chain'], name)
} + {
  cross_entropy_max: spaces.cross_entropy,
  crf: spaces.cross_entropy,
}
