"""What looks on while a model is trained."""

from .pictures import PicturesCallback

__all__ = ["PicturesCallback"]
