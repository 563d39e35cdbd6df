"""What a piece of code computes, however it is spelt: for the tests of the architecture."""

import ast

# Functions that turn logits into outputs, or draw them.
OUTPUTS = {
    *("sigmoid", "sigmoid_", "logsigmoid", "log_sigmoid", "Sigmoid", "LogSigmoid"),
    *("expit", "log_expit", "logit"),
    *("softmax", "log_softmax", "gumbel_softmax", "Softmax", "LogSoftmax", "Softmax2d"),
    *("masked_softmax", "masked_log_softmax"),
    *("one_hot", "bernoulli", "bernoulli_", "Bernoulli", "multinomial", "Multinomial"),
    *("Categorical", "OneHotCategorical", "round", "round_"),
}
CLAMPS = {"clamp", "clamp_", "clip", "clip_", "clamp_min", "clamp_max", "minimum", "maximum"}
SUMS = {"sum", "nansum", "mean", "nanmean"}
PRODUCTS = {"mul", "mul_", "multiply"}
MASKINGS = {"masked_fill", "masked_fill_", "where", "masked_select"}


def called(node):
    """Return the name of the function or method that a node calls."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", None))
    return None


def operands(call):
    """Return the object of a method call, and the arguments of any call."""
    of = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    return [*of, *call.args, *(keyword.value for keyword in call.keywords)]


def is_operation(node, kind):
    """Return whether a node is an operation of a kind, such as a product."""
    return isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, kind)


class Code:
    """A file whose expressions are read through the names that they were assigned to."""

    def __init__(self, text):
        self.tree = ast.parse(text)
        self.aliases = {}
        self.values = {}
        kinds = (ast.FunctionDef, ast.Lambda)
        self.functions = [n for n in ast.walk(self.tree) if isinstance(n, kinds)] or [self.tree]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.alias):
                self.aliases[node.asname or node.name] = node.name.rpartition(".")[2]
        for function in self.functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self.values.setdefault((function, node.targets[0].id), []).append(node)

    def nodes(self):
        """Yield each node with the function that it is in."""
        for function in self.functions:
            for node in ast.walk(function):
                yield node, function

    def name(self, node):
        """Return the name of the called function, behind an import with another name."""
        return self.aliases.get(called(node), called(node))

    def parts(self, node, function):
        """Yield an expression and all below it, with the values that its names had before."""
        line, seen, waiting = node.lineno, set(), [node]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(ast.iter_child_nodes(part))
            if isinstance(part, ast.Name) and part.id not in seen:
                seen.add(part.id)
                assigned = self.values.get((function, part.id), [])
                waiting.extend(each.value for each in assigned if each.lineno < line)

    def has(self, node, function, names):
        """Return whether an expression calls one of the functions."""
        return any(self.name(part) in names for part in self.parts(node, function))

    def outputs(self):
        """Yield the line and the name of all that makes outputs of logits, or clamps them."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and node.attr in OUTPUTS:
                yield node.lineno, node.attr
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, each.name) for each in node.names if each.name in OUTPUTS)
            elif called(node) == "getattr":
                values = (getattr(each, "value", None) for each in node.args[1:])
                yield from ((node.lineno, value) for value in values if value in OUTPUTS)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "round":
                yield node.lineno, "round"
            elif self.name(node) in CLAMPS and any(
                getattr(part, "id", getattr(part, "attr", None)) == "y"
                for operand in operands(node)[:2]  # `y.clamp()`, or `torch.clamp(y)`
                for part in ast.walk(operand)
            ):
                yield node.lineno, "clamp of y"
        for node, function in self.nodes():
            if self.is_softmax(node, function):
                yield node.lineno, "softmax by hand"
            elif self.is_sigmoid(node, function):
                yield node.lineno, "sigmoid by hand"

    def is_softmax(self, node, function):
        """Return whether a node is exp(a − logsumexp(a)) or exp(a) / Σ exp(a)."""
        if self.name(node) == "exp":
            return any(
                is_operation(part, ast.Sub) and self.has(part.right, function, {"logsumexp"})
                for operand in operands(node)
                for part in self.parts(operand, function)
            )
        return (
            is_operation(node, ast.Div)
            and isinstance(node, ast.BinOp)
            and self.has(node.left, function, {"exp"})
            and self.has(node.right, function, {"exp"})
            and self.has(node.right, function, SUMS)
        )

    def is_sigmoid(self, node, function):
        """Return whether a node is 1 / (1 + exp(−a))."""
        if not isinstance(node, ast.BinOp) or not is_operation(node, ast.Div):
            return False
        return any(
            isinstance(part, ast.BinOp)
            and is_operation(part, ast.Add)
            and any(getattr(side, "value", None) == 1 for side in (part.left, part.right))
            and self.has(part, function, {"exp"})
            for part in self.parts(node.right, function)
        )

    def masked_sums(self):
        """Yield the line of each sum over what a mask leaves, and of each product with a mask."""
        for node, function in self.nodes():
            if self.is_product(node, function):
                yield node.lineno, "product with a mask"
            elif self.name(node) in SUMS and any(
                self.is_product(part, function) or self.is_selection(part, function)
                for operand in operands(node)
                for part in self.parts(operand, function)
            ):
                yield node.lineno, "masked sum"

    def is_product(self, node, function):
        """Return whether a node multiplies with a mask."""
        if self.name(node) in PRODUCTS:
            factors = operands(node)
        elif is_operation(node, ast.Mult):
            sides = ("left", "right", "target", "value")
            factors = [getattr(node, side) for side in sides if hasattr(node, side)]
        else:
            return False
        return any(self.is_mask(factor, function) for factor in factors)

    def is_selection(self, node, function):
        """Return whether a node takes what is outside a mask out of a tensor."""
        if self.name(node) in MASKINGS:
            return any(self.is_mask(operand, function) for operand in operands(node))
        return isinstance(node, ast.Subscript) and self.is_mask(node.slice, function)

    def is_mask(self, node, function):
        """Return whether an expression is a mask, or a view or the complement of one."""
        if isinstance(node, ast.Attribute):
            return "mask" in node.attr
        if isinstance(node, ast.Name):
            assigned = self.values.get((function, node.id), [])
            earlier = (each.value for each in assigned if each.lineno < node.lineno)
            return "mask" in node.id or any(self.is_mask(each, function) for each in earlier)
        inner = {ast.UnaryOp: "operand", ast.Subscript: "value"}.get(type(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self.name(node) not in MASKINGS and self.is_mask(node.func.value, function)
        return inner is not None and self.is_mask(getattr(node, inner), function)
