"""Tests and examples, and whatever they execute, read and write nobody's predictions."""

import os

os.environ["TALKS_PREDICTIONS"] = "off"
