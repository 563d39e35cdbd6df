// The table of a data set: its keys, checked, and the defaults for those that it leaves out.
local pairs(word) = std.set([word[i:i + 2] for i in std.range(0, std.length(word) - 2)]);

// How alike two words are, from 0 to 1, by the pairs of letters that they share.
local likeness(a, b) =
  2 * std.length(std.setInter(pairs(a), pairs(b))) / (std.length(pairs(a)) + std.length(pairs(b)));

local nearest(word, words) =
  local best = std.foldl(
    function(best, other)
      if likeness(word, other) > likeness(word, best) then other else best,
    words,
    words[0],
  );
  if likeness(word, best) > 0.4 then "did you mean '%s'?" % best
  else 'the keys are %s.' % std.join(', ', words);

{
  // The table d with `defaults` for the keys that it leaves out; another key raises.
  complete(defaults, d): defaults + self.checked(defaults, d),

  // Keys of a table, such as those that a method is tuned to; one that is not in `defaults` raises.
  checked(defaults, d):
    local unknown = std.setDiff(std.objectFieldsAll(d), std.objectFieldsAll(defaults));
    if std.length(unknown) == 0 then d
    else error "Expected a key that the table of a data set has, got '%s'; %s"
               % [unknown[0], nearest(unknown[0], std.objectFields(defaults))],

  // The paths of the data. Where there is nothing to validate, a tenth of the training data is.
  paths(d): {
    local whole = !std.endsWith(d.train, ']') && std.length(std.findSubstr('?seed=', d.train)) == 0,
    local part(slice) =
      if whole then d.train + slice
      else error "Expected the key 'validation' beside 'train', which is a part of a file, '%s'"
                 % d.train,
    train_data_path: if d.validation == null then part('[:90%]') else d.train,
    validation_data_path: if d.validation == null then part('[90%:]') else d.validation,
    [if d.test != null then 'test_data_path']: d.test,
    [if d.test != null then 'evaluate_on_test']: true,
  },
}
