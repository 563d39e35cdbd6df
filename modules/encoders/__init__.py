"""Encoders: x to vectors h, one for each instance, token or pixel."""

from .content_hashes import instance_hashes
from .encoder import Encoder
from .feedforward import FeedForwardEncoder
from .frozen import FrozenEncoder
from .images import (
    FullyConvolutionalEncoder,
    ImageEncoder,
    PixelEncoder,
    UNetEncoder,
    check_images,
)
from .lora import LoraEmbedder
from .pooling import PoolingEncoder
from .standardized import Moments, StandardizedEncoder
from .text import TextEncoder
from .tokens import SequenceEncoder, TokenEncoder
from .transformer_layers import TransformerLayersEmbedder
from .word_vectors import WordVectors

__all__ = [
    "Encoder",
    "FeedForwardEncoder",
    "FrozenEncoder",
    "FullyConvolutionalEncoder",
    "ImageEncoder",
    "LoraEmbedder",
    "PixelEncoder",
    "Moments",
    "PoolingEncoder",
    "SequenceEncoder",
    "StandardizedEncoder",
    "TextEncoder",
    "TokenEncoder",
    "TransformerLayersEmbedder",
    "UNetEncoder",
    "WordVectors",
    "check_images",
    "instance_hashes",
]
