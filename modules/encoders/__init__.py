"""Encoders: x to vectors h, one for each instance, token or pixel."""

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
from .pooling import PoolingEncoder
from .text import TextEncoder
from .tokens import TokenEncoder

__all__ = [
    "Encoder",
    "FeedForwardEncoder",
    "FrozenEncoder",
    "FullyConvolutionalEncoder",
    "ImageEncoder",
    "PixelEncoder",
    "PoolingEncoder",
    "TextEncoder",
    "TokenEncoder",
    "UNetEncoder",
    "check_images",
]
