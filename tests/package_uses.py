"""A use of each package that has stand-ins, in a process of its own.

    python tests/package_uses.py FOLDER

imports AllenNLP as commands do, prints which packages are imported then, and forks for each use. A
line of its output is a JSON list: the use, whether it passed, and what it printed or raised.
"""

import json
import os
import sys
import traceback
from pathlib import Path


def spacy(folder):
    import spacy as package
    from allennlp.data import TokenIndexer, Tokenizer, Vocabulary
    from allennlp.data.fields import TextField
    from allennlp.data.tokenizers.sentence_splitter import SpacySentenceSplitter

    package.blank("en").to_disk(folder / "blank")
    tokenizer = Tokenizer.by_name("spacy")(str(folder / "blank"), keep_spacy_tokens=True)
    tokens = tokenizer.tokenize("A dog, seen.")
    assert [token.text for token in tokens] == ["A", "dog", ",", "seen", "."]
    assert isinstance(tokens[0], package.tokens.Token)
    with_vectors = TokenIndexer.by_name("spacy")()
    indexed = with_vectors.tokens_to_indices(tokens, Vocabulary())
    assert len(indexed["tokens"]) == 5
    TextField(tokens, {"tokens": with_vectors})
    splitter = SpacySentenceSplitter(str(folder / "blank"), rule_based=True)
    assert splitter.split_sentences("One. Two.") == ["One.", "Two."]


def tokens_without_spacy(folder):
    from allennlp.data.fields import TextField
    from allennlp.data.tokenizers import Token

    TextField([Token("a")], {})
    try:
        TextField(["a"], {})
    except Exception as error:
        assert type(error).__name__ == "ConfigurationError", error
    assert "spacy" not in sys.modules


def _bert(folder):
    from transformers import BertConfig, BertModel, BertTokenizer

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "dog", "##s"]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)


def transformers(folder):
    import torch
    from allennlp.data import Tokenizer, Vocabulary
    from allennlp.modules.token_embedders import TokenEmbedder
    from allennlp.modules.transformer.activation_layer import ActivationLayer

    name = _bert(folder)
    tokenizer = Tokenizer.by_name("pretrained_transformer")(name)
    assert [token.text for token in tokenizer.tokenize("a dogs")] == [
        *("[CLS]", "a", "dog", "##s", "[SEP]")
    ]
    pair = tokenizer.add_special_tokens(tokenizer.tokenize("a")[1:2], tokenizer.tokenize("b")[1:2])
    assert [token.text for token in pair] == ["[CLS]", "a", "[SEP]", "b", "[SEP]"]
    assert len(tokenizer.intra_word_tokenize(["a", "dogs"])[0]) == 5
    embedder = TokenEmbedder.by_name("pretrained_transformer")(name)
    ids = torch.tensor([[2, 5, 3]])
    assert embedder(ids, torch.ones_like(ids, dtype=torch.bool)).shape == (1, 3, 8)
    assert Vocabulary.from_pretrained_transformer(name).get_vocab_size("tokens") == 9
    assert type(ActivationLayer(2, 2, "gelu").act_fn).__module__ == "transformers.activations"


def optimizers_of_transformers(folder):
    import torch
    from allennlp.common import Params
    from allennlp.training.learning_rate_schedulers import LearningRateScheduler
    from allennlp.training.optimizers import HuggingfaceAdafactor, Optimizer

    settings = {"huggingface_adamw": {"lr": 0.1, "weight_decay": 0.1}, "huggingface_adafactor": {}}
    for name, options in settings.items():
        ours = torch.nn.Parameter(torch.arange(4.0).view(2, 2))
        theirs = torch.nn.Parameter(ours.detach().clone())
        optimizer = Optimizer.from_params(
            Params({"type": name, **options}), model_parameters=[("w", ours)]
        )
        import transformers as package

        real = {"huggingface_adamw": package.AdamW, "huggingface_adafactor": package.Adafactor}
        assert isinstance(optimizer, real[name]) and isinstance(optimizer, Optimizer)
        defaults = {"eps": 1e-8} if name == "huggingface_adamw" else {}
        expected = real[name]([theirs], **defaults, **options)
        for _ in range(3):
            for parameter, each in ((ours, optimizer), (theirs, expected)):
                each.zero_grad()
                (parameter**2).sum().backward()
                each.step()
        assert torch.equal(ours, theirs), (ours, theirs)
    assert isinstance(optimizer, HuggingfaceAdafactor)
    optimizer = torch.optim.SGD([ours], lr=1.0)
    warmup = Params({"type": "constant_with_warmup", "num_warmup_steps": 2})
    scheduler = LearningRateScheduler.from_params(warmup, optimizer=optimizer)
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.5


def torchvision(folder):
    import torch
    from allennlp.data.image_loader import TorchImageLoader
    from allennlp.modules.vision.region_detector import box_ops

    TorchImageLoader(image_backend="PIL")
    boxes = box_ops.clip_boxes_to_image(torch.tensor([[-1.0, 0.0, 9.0, 9.0]]), (5, 5))
    assert boxes.tolist() == [[0, 0, 5, 5]]


def nltk(folder):
    from allennlp.training.metrics import evalb_bracketing_scorer

    assert evalb_bracketing_scorer.Tree.fromstring("(S (N a))").leaves() == ["a"]


def sklearn(folder):
    import torch
    from allennlp.fairness.bias_direction import ClassificationNormalBiasDirection
    from allennlp.training.metrics import Auc

    auc = Auc()
    auc(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]))
    assert auc.get_metric() == 1
    direction = ClassificationNormalBiasDirection()(torch.eye(2), -torch.eye(2))
    assert direction.shape == (2,)


def scipy(folder):
    import torch
    from allennlp.training.metrics import SpearmanCorrelation

    metric = SpearmanCorrelation()
    metric(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 3.0]))
    assert abs(metric.get_metric() - 1) < 1e-6


def fairscale(folder):
    import torch
    from allennlp.nn.checkpoint import FairScaleCheckpointWrapper
    from allennlp.nn.parallel import fairscale_fsdp_accelerator as accelerator

    wrapped = FairScaleCheckpointWrapper().wrap_module(torch.nn.Linear(2, 1))
    wrapped(torch.ones(1, 2)).sum().backward()
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=0, world_size=1
    )
    sharded = accelerator._FSDP(torch.nn.Linear(2, 1))
    from fairscale.nn import FullyShardedDataParallel

    assert isinstance(sharded, FullyShardedDataParallel)
    assert isinstance(sharded, accelerator._FSDP)
    assert isinstance(sharded.get_original_module(), torch.nn.Linear)
    assert accelerator._FSDP.consolidate_shard_weights is not None


def tensorboardX(folder):
    from allennlp.training import TrainerCallback

    callback = TrainerCallback.by_name("tensorboard")(str(folder))
    callback._train_log.add_scalar("loss", 1.0, 0)
    callback._train_log.close()
    assert list((folder / "log" / "train").glob("events*"))


def boto3(folder):
    from cached_path.schemes import s3

    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=str(folder / "none"))
    resource = s3.S3Client("s3://bucket/key").s3_object
    assert resource.bucket_name == "bucket" and resource.key == "key"


def botocore(folder):
    from cached_path.schemes import s3

    errors = s3.S3Client.recoverable_errors
    import botocore.exceptions

    try:
        raise botocore.exceptions.ConnectionError(error="none")
    except s3.botocore.exceptions.ConnectionError:
        pass
    assert len(errors) >= 2


def google(folder):
    from cached_path.schemes import gs

    os.environ["NO_GCE_CHECK"] = "true"
    client = gs.GsClient("gs://bucket/key")
    assert client.blob.name == "key"
    from google.cloud.storage.retry import DEFAULT_RETRY

    assert gs.DEFAULT_RETRY is DEFAULT_RETRY and issubclass(gs.NotFound, Exception)


def h5py(folder):
    import h5py as package
    import torch
    from allennlp.data import Vocabulary
    from allennlp.modules.token_embedders import Embedding

    with package.File(folder / "weights.hdf5", "w") as file:
        file["embedding"] = torch.ones(3, 2).numpy()
    vocab = Vocabulary(tokens_to_add={"tokens": ["a"]})
    embedding = Embedding(2, pretrained_file=str(folder / "weights.hdf5"), vocab=vocab)
    assert embedding.weight.tolist() == [[1, 1]] * 3


def huggingface_hub(folder):
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HOME"] = str(folder)
    from cached_path.schemes import hf

    try:
        hf.hf_get_from_cache("hf://nobody/nothing/file.txt")
    except Exception as error:
        assert "offline" in str(error).lower() or "Hub" in str(error), error
    else:
        raise AssertionError
    from allennlp.common.push_to_hf import HfFolder

    assert HfFolder.get_token() is None


def without(package):
    class Missing:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == package:
                raise ModuleNotFoundError(f"No module named '{package}'", name=package)

    sys.meta_path.insert(0, Missing)


def types_of_a_missing_package(folder):
    """`allennlp predict` asks whether a value is a token of spaCy."""
    import torch
    from allennlp.common.util import sanitize

    without("spacy")
    assert sanitize({"value": torch.ones(2), "other": {3}}) == {"value": [1.0, 1.0], "other": [3]}


def a_missing_package(folder):
    from allennlp.training.metrics import Auc

    without("sklearn")
    import torch

    auc = Auc()
    auc(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]))
    try:
        auc.get_metric()
    except ModuleNotFoundError as error:
        from structured_energy.compatibility import sentence

        assert sentence(error) == str(error)
        print(error)


USES = [
    spacy,
    tokens_without_spacy,
    transformers,
    optimizers_of_transformers,
    torchvision,
    nltk,
    sklearn,
    scipy,
    fairscale,
    tensorboardX,
    boto3,
    botocore,
    google,
    h5py,
    huggingface_hub,
    types_of_a_missing_package,
    a_missing_package,
]


def forked(use, folder):
    """Whether the use passed, and what it printed or raised."""
    out = folder / "out"
    child = os.fork()
    if child == 0:
        status = 1
        with out.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            try:
                use(folder)
                status = 0
            except BaseException:
                traceback.print_exc(file=file)
            sys.stdout.flush()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    return status == 0, out.read_text()


def main():
    import structured_energy  # noqa: F401
    from structured_energy.startup import PACKAGES

    imported = [name for name in (*PACKAGES, "torch._dynamo") if name in sys.modules]
    print(json.dumps(["imported at the start", not imported, str(imported)]), flush=True)
    for use in USES:
        folder = Path(sys.argv[1], use.__name__)
        folder.mkdir()
        print(json.dumps([use.__name__, *forked(use, folder)]), flush=True)


if __name__ == "__main__":
    main()
