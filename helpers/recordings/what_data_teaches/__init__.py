"""Lesson 3.3, what data teaches: captions and what was meant, a person's diet of words, drawings and serial numbers."""

from helpers.recordings import Table

TABLES: list[Table] = []
