// The methods of a task, each of whose configs carries, hidden, the whole library: `allennlp sweep`
// calls another method with the same data set, `allennlp tune` other hyper-parameters. `methods` also
// has `complete`, which adds defaults to the table of a data set.
function(methods, search_spaces)
local call(method, d) = methods[method](d) + {
  library:: {
    method: method,
    methods: std.objectFields(methods),
    search_space: std.get(search_spaces, method, {}),
    table: methods.complete(d) + std.get(std.get(d, 'tuned', {}), method, {}),
    // The hyper-parameters are laid over those of the data set, also over those that are tuned.
    config(other, hyper_parameters):: call(other, d {
      local tuned = std.get(d, 'tuned', {}),
      tuned: tuned { [other]: std.get(tuned, other, {}) + hyper_parameters },
    }),
  },
};

methods + {
  [method](d): call(method, d)
  for method in std.objectFields(methods)
}
