"""Texts people write often, kept once with gaps to fill: a name, a language, a body with `{placeholders}`. They answer nothing by themselves."""
