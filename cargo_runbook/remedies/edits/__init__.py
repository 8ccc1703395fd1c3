"""Edits of text that change the lines they mean and no byte else. Pure: text in, text out."""
